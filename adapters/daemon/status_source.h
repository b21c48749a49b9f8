#pragma once

#include <mutex>

#include "adapters/admin/activity.h"
#include "adapters/admin/status.h"
#include "adapters/config/configuration.h"
#include "adapters/daemon/dispatcher.h"
#include "adapters/daemon/endpoint_access.h"
#include "adapters/mqtt/broker_connection.h"
#include "adapters/store/sqlite_journal.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Collects the status of the parts of the running bridge. Any thread may call it; what it refers
/// to must outlive it.
class StatusSource {
 public:
  struct Parts {
    Dispatcher& dispatcher;
    const mqtt::BrokerConnection& broker;
    EndpointAccess& endpoint;
    const store::SqliteJournal* journal;  ///< null if there is none
    const admin::Activity& activity;
  };
  StatusSource(const config::Configuration& configuration, Parts parts);

  /// Throws std::runtime_error if the engine's clock has stopped: the process then does no work any
  /// more.
  [[nodiscard]] admin::Status take() const;

  /// Changes the limits that are shown.
  void set_limits(const config::Configuration::Limits& limits);

 private:
  void fill_broker(admin::Status& status, Now now) const;
  void fill_flow(admin::Status& status, const Dispatcher::Snapshot& flow) const;
  void fill_journal(admin::Status& status, const Dispatcher::Snapshot& flow, Now now) const;
  void fill_credentials(admin::Status& status, Now now) const;

  const Parts parts_;
  const Now started_;
  mutable std::mutex mutex_;
  config::Configuration configuration_;
};

}  // namespace jobs_bridge
