#include "adapters/daemon/reload.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "adapters/daemon/settings.h"
#include "adapters/mqtt/broker_settings.h"

namespace jobs_bridge {
namespace {

/// The keys whose new values Reload::Parts put to use. A key that is missing here, such as a new
/// one of [limits], is reported as needing a restart. That each of these takes effect:
/// ServiceTest.EveryLimitTakesEffectAfterSighup and others there.
constexpr std::array<std::string_view, 8> reloadable{
    "limits.deadline",        "limits.reads_per_second", "limits.writes_per_second", "limits.queue",
    "limits.queue_per_thing", "limits.max_payload",      "notify.repeat_replies",    "log.level",
};

bool can_be_reloaded(std::string_view key) {
  return std::ranges::find(reloadable, key) != reloadable.end();
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
      limits.max_payload + mqtt::BrokerSettings::max_beside_payload > max_packet_size_;
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
  const bool fetched = parts_.credentials();
  log_.write(Severity::info,
             !done.empty()
                 ? "reloaded limits, log level, notify.repeat_replies and credentials; replaced "
                   "certificates take effect at the next connection"
             : left.empty() ? "reloaded: no key of the configuration has changed"
                            : "reloaded: every key that has changed needs a restart",
             {{"changed", done}, {"credentials", fetched ? "fetched again" : ""}});
  if (!left.empty()) {
    log_.write(Severity::warning, "these changed keys take effect only after a restart",
               {{"keys", left}, {"hint", "restart the bridge: systemctl restart jobs-bridge"}});
  }
}

}  // namespace jobs_bridge
