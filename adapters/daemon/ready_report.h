#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "adapters/admin/status.h"
#include "bridge/ports/log.h"

namespace jobs_bridge {

/// Logs "ready for requests", once for each connection to the broker: when /readyz would be 200 and
/// not before. When the broker's side of it is done, the connection to the broker reports; for the
/// rest (endpoint, credentials, journal, lease) log_if_ready() is to be called now and then. Any
/// thread may call anything.
class ReadyReport {
 public:
  /// `log` and what `snapshot` refers to must outlive it.
  ReadyReport(admin::Snapshot snapshot, Log& log);

  /// A new connection to the broker serves: see BrokerConnection::report_serving().
  void broker_serves() noexcept;
  /// Does nothing if there is no line to be written.
  void log_if_ready() noexcept;

 private:
  const admin::Snapshot snapshot_;
  Log& log_;
  std::mutex mutex_;
  bool due_ = false;
  std::optional<std::uint64_t> connection_;  ///< the one that the line is about, once known
};

}  // namespace jobs_bridge
