#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/fibers/event_loop.h"
#include "adapters/mqtt/broker_connection.h"
#include "bridge/flow/lease.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Tells the lease of what becomes of the connections to the broker: of the one in the place that
/// it is about, and of a standby's second one.
class Standby {
 public:
  using Tell = std::function<void(const std::function<void(Lease&, MonotonicTime)>&)>;

  /// As Dispatcher::lease_event(). All must outlive it; to be made before `place` is started.
  Standby(mqtt::BrokerConnection& place, Tell tell);

  /// Begins to watch for the instance that this one stands by for, by its messages to itself on
  /// that topic.
  void watch(mqtt::BrokerSettings settings, const std::string& topic, fibers::EventLoop& loop,
             Log& log);

  /// Ends that. To be called before what `tell` tells is gone.
  void stop();

 private:
  /// Of the second connection an operator reads only what is wrong.
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

  const Tell tell_;
  std::unique_ptr<WarningsOnly> log_;
  std::unique_ptr<mqtt::BrokerConnection> watch_;
};

}  // namespace jobs_bridge
