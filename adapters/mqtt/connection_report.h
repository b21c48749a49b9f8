#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/mqtt/session.h"
#include "bridge/ports.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// What an operator is told of the connection to the broker, each thing once: a state that stays is
/// a line now and then, not one for each attempt. Used by one thread at a time.
class ConnectionReport {
 public:
  /// `settings` and `log` must outlive it; the host and port may change from one connection to the
  /// next.
  ConnectionReport(const BrokerSettings& settings, Log& log);

  void cannot_connect(MonotonicTime now, const BrokerFault& fault);
  void connected(const Session& session, std::size_t attempts);
  void shorter_keep_alive(std::chrono::seconds keep_alive);
  /// Subscriptions, a fault for each.
  void refused(const std::vector<BrokerFault>& refused);
  /// The same of optional filters.
  void does_without(const std::vector<BrokerFault>& refused);
  /// What the broker does not do as it should.
  void shortcomings(const std::vector<BrokerFault>& faults);
  void ready();
  /// Returns the fault in full: one that comes again and again says more.
  BrokerFault lost(BrokerFault fault, Duration lasted);
  void disconnected();
  /// We have had the broker forget what it kept for us.
  void forgotten();

  /// Replies go over a connection of their own from now on; or do not, for a reason.
  void replies_apart(const std::string& client_id);
  void replies_not_apart(const std::string& client_id, const BrokerFault& fault);

  /// A canary has come back on this connection for the first time, or again. `gone`: how long
  /// nothing flowed before.
  void flows(Duration round_trip, std::optional<Duration> gone);
  /// Why canaries tell nothing, if they do: Canary::fault().
  void canary_fault(const std::string& fault);
  /// Whether requests come in and replies go out.
  void topics(const TopicTest::State& state);

 private:
  /// Where the broker is that the settings name at present.
  [[nodiscard]] std::string broker() const;
  void write(Severity severity, std::string_view event, const BrokerFault& fault);
  void topics(const char* event, TopicTest::Verdict verdict, const std::string& cause,
              const std::string& hint, TopicTest::Verdict& told);

  const BrokerSettings& settings_;
  Log& log_;
  struct Told {
    BrokerFault fault;
    MonotonicTime at;
  };
  std::map<std::string, Told> told_faults_;  ///< of those that cannot be reached, by where they are
  std::vector<BrokerFault> told_refused_;
  std::vector<BrokerFault> told_without_;
  std::vector<BrokerFault> told_shortcomings_;
  std::string told_canary_fault_;
  TopicTest::Verdict told_requests_ = TopicTest::Verdict::off;
  TopicTest::Verdict told_replies_ = TopicTest::Verdict::off;
  int brief_ = 0;  ///< connections in a row that broke at once
};

}  // namespace jobs_bridge::mqtt
