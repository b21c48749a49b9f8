#include "adapters/daemon/ready_report.h"

#include <exception>
#include <utility>

#include "adapters/admin/readiness.h"

namespace jobs_bridge {

ReadyReport::ReadyReport(admin::Snapshot snapshot, Log& log)
    : snapshot_(std::move(snapshot)), log_(log) {}

void ReadyReport::broker_serves() noexcept {
  {
    const std::lock_guard lock(mutex_);
    due_ = true;
    connection_.reset();
  }
  log_if_ready();
}

void ReadyReport::log_if_ready() noexcept try {
  const std::lock_guard lock(mutex_);
  if (!due_) return;
  const auto status = snapshot_();
  const auto& broker = status.broker;
  if (!broker.connected || connection_.value_or(broker.connections) != broker.connections) {
    due_ = false;  // the next connection reports by itself
    return;
  }
  connection_ = broker.connections;
  if (!admin::readiness(status).ready()) return;
  due_ = false;
  log_.write(Severity::info, "ready for requests",
             {{"broker", broker.url},
              {"endpoint", status.endpoint.answered ? std::string_view() : "not called yet"}});
} catch (const std::exception&) {
  // /healthz says why the state cannot be determined; the next call may succeed.
}

}  // namespace jobs_bridge
