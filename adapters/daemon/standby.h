#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/fibers/event_loop.h"
#include "adapters/mqtt/broker_connection.h"
#include "bridge/flow/lease.h"
#include "bridge/ports/log.h"

namespace jobs_bridge {

/// Reports the events of the broker connections to the lease: those of the connection as the
/// primary, and those of the standby link.
class Standby {
 public:
  using Report = std::function<void(const std::function<void(Lease&, MonotonicTime)>&)>;

  /// `report`: as Dispatcher::lease_event(). Everything passed by reference must outlive this
  /// object, which must be created before `primary` is started.
  Standby(mqtt::BrokerConnection& primary, Report report);

  /// Begins to watch the instance for which this one is the standby, by its canaries on that topic.
  void watch(mqtt::BrokerSettings settings, const std::string& topic, fibers::EventLoop& loop,
             Log& log);

  /// Stops watching. To be called before the target of `report` is destroyed.
  void stop();

 private:
  /// Only problems of the second connection are logged.
  class WarningsOnly final : public Log {
   public:
    explicit WarningsOnly(Log& log) : log_(log) {}
    [[nodiscard]] bool enabled(Severity severity) const override {
      return severity >= Severity::warning && log_.enabled(severity);
    }
    using Log::write;
    void write(Severity severity, std::string_view event,
               std::initializer_list<Field> fields) override {
      if (enabled(severity)) log_.write(severity, event, fields);
    }

   private:
    Log& log_;
  };

  const Report report_;
  std::unique_ptr<WarningsOnly> log_;
  std::unique_ptr<mqtt::BrokerConnection> standby_link_;
};

}  // namespace jobs_bridge
