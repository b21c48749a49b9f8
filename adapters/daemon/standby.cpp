#include "adapters/daemon/standby.h"

#include <utility>
#include <vector>

namespace jobs_bridge {

Standby::Standby(mqtt::BrokerConnection& place, Tell tell) : tell_(std::move(tell)) {
  place.report_link({
      .connected = [this] { tell_([](Lease& lease, MonotonicTime now) { lease.connected(now); }); },
      .ended = [this] { tell_([](Lease& lease, MonotonicTime now) { lease.disconnected(now); }); },
      .came_back =
          [this](MonotonicTime sent) {
            tell_([&](Lease& lease, MonotonicTime) { lease.came_back(sent); });
          },
  });
}

void Standby::watch(mqtt::BrokerSettings settings, const std::string& topic,
                    fibers::EventLoop& loop, Log& log) {
  log_ = std::make_unique<WarningsOnly>(log);
  watch_ = std::make_unique<mqtt::BrokerConnection>(
      std::move(settings), std::vector<std::string>{topic},
      [this](const Message&) { tell_([](Lease& lease, MonotonicTime now) { lease.heard(now); }); },
      loop, *log_);
  watch_->report_link({
      .connected = nullptr,
      .ended = [this] { tell_([](Lease& lease, MonotonicTime) { lease.watch_ended(); }); },
      .came_back =
          [this](MonotonicTime sent) {
            tell_([&](Lease& lease, MonotonicTime now) { lease.watch_came_back(now, sent); });
          },
  });
  watch_->start();
}

void Standby::stop() {
  if (watch_) watch_->stop();
}

}  // namespace jobs_bridge
