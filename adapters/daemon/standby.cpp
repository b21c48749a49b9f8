#include "adapters/daemon/standby.h"

#include <utility>
#include <vector>

namespace jobs_bridge {

Standby::Standby(mqtt::BrokerConnection& primary, Report report) : report_(std::move(report)) {
  primary.report_link({
      .connected =
          [this] { report_([](Lease& lease, MonotonicTime now) { lease.connected(now); }); },
      .ended =
          [this] { report_([](Lease& lease, MonotonicTime now) { lease.disconnected(now); }); },
      .canary_returned =
          [this](MonotonicTime sent) {
            report_([&](Lease& lease, MonotonicTime) { lease.canary_returned(sent); });
          },
  });
}

void Standby::watch(mqtt::BrokerSettings settings, const std::string& topic,
                    fibers::EventLoop& loop, Log& log) {
  log_ = std::make_unique<WarningsOnly>(log);
  standby_link_ = std::make_unique<mqtt::BrokerConnection>(
      std::move(settings), std::vector<std::string>{topic},
      [this](const Message&) {
        report_([](Lease& lease, MonotonicTime now) { lease.other_canary_arrived(now); });
      },
      loop, *log_);
  standby_link_->report_link({
      .connected = nullptr,
      .ended = [this] { report_([](Lease& lease, MonotonicTime) { lease.standby_link_ended(); }); },
      .canary_returned =
          [this](MonotonicTime sent) {
            report_(
                [&](Lease& lease, MonotonicTime now) { lease.standby_canary_returned(now, sent); });
          },
  });
  standby_link_->start();
}

void Standby::stop() {
  if (standby_link_) standby_link_->stop();
}

}  // namespace jobs_bridge
