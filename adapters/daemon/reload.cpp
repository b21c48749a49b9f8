#include "adapters/daemon/reload.h"

#include <utility>

#include "adapters/daemon/settings.h"
#include "adapters/mqtt/broker_settings.h"

namespace jobs_bridge {
namespace {

bool can_be_reloaded(const std::string& key) {
  return key.starts_with("limits.") || key == "log.level" || key == "notify.repeat_replies";
}

void append(std::string& list, const std::string& key) {
  list += (list.empty() ? "" : ", ") + key;
}

}  // namespace

Reload::Reload(config::LoadOutcome running, std::function<config::LoadOutcome()> read, Parts parts,
               Log& log)
    : running_(std::move(running)),
      max_packet_size_(max_packet_size(running_.configuration->limits)),
      read_(std::move(read)),
      parts_(std::move(parts)),
      log_(log) {}

void Reload::operator()() {
  auto fresh = read_();
  for (const auto& fault : fresh.faults) {
    log_.write(Severity::error, "the configuration has a fault",
               {{"fault", config::to_string(fault)}});
  }
  if (!fresh.configuration) {
    log_.write(Severity::error, "nothing was reloaded, because the configuration has faults",
               {{"faults", std::to_string(fresh.faults.size())}});
    return;
  }
  auto& limits = fresh.configuration->limits;
  // The broker would withhold messages that the new limit allows, or they would be truncated.
  const bool withheld =
      limits.max_payload + mqtt::BrokerSettings::most_beside_payload > max_packet_size_;
  if (withheld) limits.max_payload = running_.configuration->limits.max_payload;
  running_.configuration->limits = limits;
  std::string done;
  std::string left;
  for (const auto& key : config::changed_keys(running_, fresh)) {
    const bool counts = can_be_reloaded(key) && !(withheld && key == "limits.max_payload");
    append(counts ? done : left, key);
    // The other keys keep their old value, and are reported again next time.
    if (counts) running_.values[key] = fresh.values[key];
  }
  parts_.limits(*fresh.configuration);
  parts_.log_level(fresh.configuration->log.level);
  parts_.credentials();
  log_.write(Severity::info,
             "reloaded limits, log level, notify.repeat_replies and credentials; replaced "
             "certificates take effect at the next connection",
             {{"changed", !done.empty()  ? done
                          : left.empty() ? "nothing"
                                         : "nothing that can be reloaded"}});
  if (!left.empty()) {
    log_.write(Severity::warning, "these changed keys take effect only after a restart",
               {{"keys", left}, {"hint", "restart the bridge: systemctl restart jobs-bridge"}});
  }
}

}  // namespace jobs_bridge
