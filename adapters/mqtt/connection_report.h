#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/mqtt/acl_hints.h"
#include "adapters/mqtt/connection.h"
#include "bridge/ports/log.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Logs the state of the connection to the broker, each event once: a state that persists is logged
/// occasionally, not for each attempt. Used by one thread at a time.
class ConnectionReport {
 public:
  /// `settings`, `hints` and `log` must outlive it; the host and port may change from one
  /// connection to the next.
  ConnectionReport(const BrokerSettings& settings, const AclHints& hints, Log& log);

  /// The MQTT library does not read through this program: see packet_size_guard.h.
  void reads_bypass_us();
  void cannot_connect(MonotonicTime now, const BrokerFault& fault);
  void connected(const Connection& connection, std::size_t attempts);
  void shorter_keep_alive(std::chrono::seconds keep_alive);
  /// Subscriptions were refused; one fault for each.
  void refused(const std::vector<BrokerFault>& refused);
  /// The same for optional filters.
  void optional_filters_refused(const std::vector<BrokerFault>& refused);
  /// What the broker does not do as it should.
  void shortcomings(const std::vector<BrokerFault>& faults);
  /// Every subscription that is needed has been granted.
  void subscribed();
  /// Returns the complete fault, which says more if it occurs repeatedly.
  BrokerFault lost(BrokerFault fault, Duration lasted);
  void disconnected();
  /// We have made the broker discard our session.
  void session_discarded();

  /// Replies use a connection of their own from now on; the second function: they do not, for a
  /// reason.
  void replies_moved(const std::string& client_id);
  void replies_not_moved(const std::string& client_id, const BrokerFault& fault);

  /// A canary has come back on this connection for the first time, or after an interruption.
  /// `silent_for`: how long nothing flowed before.
  void flows(Duration round_trip, std::optional<Duration> silent_for);
  /// Why canaries prove nothing, if so: Canary::fault().
  void canary_fault(const std::string& fault);
  /// Whether requests arrive and replies are delivered.
  void topics(const TopicTest::State& state);

 private:
  /// The address of the broker in the settings at present.
  [[nodiscard]] std::string broker() const;
  void write(Severity severity, std::string_view event, const BrokerFault& fault);
  /// Returns what the verdict was before it turned good; `off` if it did not.
  TopicTest::Verdict topics(const char* event, TopicTest::Verdict verdict, const std::string& cause,
                            const std::string& hint, TopicTest::Verdict& reported);

  const BrokerSettings& settings_;
  const AclHints& hints_;
  Log& log_;
  struct Reported {
    BrokerFault fault;
    MonotonicTime at;
  };
  std::map<std::string, Reported> reported_faults_;  ///< of unreachable brokers, by address
  std::vector<BrokerFault> reported_refused_;
  std::vector<BrokerFault> reported_optional_refused_;
  std::vector<BrokerFault> reported_shortcomings_;
  std::string reported_canary_fault_;
  TopicTest::Verdict reported_requests_ = TopicTest::Verdict::off;
  TopicTest::Verdict reported_replies_ = TopicTest::Verdict::off;
  bool reported_bypass_ = false;
  int brief_count_ = 0;  ///< consecutive connections that broke at once
};

}  // namespace jobs_bridge::mqtt
