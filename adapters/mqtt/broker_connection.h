#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/fibers/event_loop.h"
#include "adapters/mqtt/acl_hints.h"
#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/mqtt/sender.h"
#include "adapters/mqtt/topic_test.h"
#include "bridge/jobs/message.h"
#include "bridge/ports/log.h"
#include "bridge/ports/publisher.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// Removes http_proxy and https_proxy from the environment: Paho 1.3.12 would send MQTT through
/// such a proxy and has no option against it. To be called before any connection is made, and
/// before another thread starts, since that could read the environment meanwhile.
void remove_proxies_from_environment();

/// The connection to the local broker. It connects, subscribes and reconnects without end, after
/// pauses that grow from 0.1 to 10 seconds, if the broker is unreachable or closes the connection.
/// Of several addresses the next one is tried each time, and the pauses grow only once all have
/// been tried; a working connection is not given up for an earlier address.
///
/// Queued publications outlive the connection: they are sent once the broker is back, in order for
/// each thing, and again if the acknowledgement was lost (at least once, as MQTT QoS 1 requires).
/// Only publications that do not fit into the queue are dropped. A reply that no broker accepts (an
/// invalid topic, too large), that the broker refuses, or that repeatedly ends the connection, is
/// replaced by a small rejection: see Sender.
class BrokerConnection final : public Publisher {
 public:
  using OnMessage = std::function<void(Message)>;

  /// `on_message` is called for every message, one at a time, on a thread that holds the MQTT
  /// library's lock. It must not throw, and may wait only as long as a Journal may take to record
  /// an update; it may call queue() and flush(). `log` must outlive the connection.
  ///
  /// A library without threads of its own runs on `loop`, and calls `on_message` there; the loop
  /// must outlive the connection.
  BrokerConnection(BrokerSettings settings, std::vector<std::string> topic_filters,
                   OnMessage on_message, fibers::EventLoop& loop, Log& log);
  BrokerConnection(const BrokerConnection&) = delete;
  BrokerConnection& operator=(const BrokerConnection&) = delete;
  ~BrokerConnection() override;

  /// `on_replies_ended`: see Sender; it is called on the same threads as `on_message`, or on those
  /// that call flush(). To be called before start(), once.
  void report_ended_replies(Sender::OnRepliesEnded on_replies_ended);

  /// Events of the connection, for code that must know them at once. Called on the same threads as
  /// `on_message`, or by the connection's own thread; must neither block nor throw.
  struct LinkEvents {
    /// The broker has just accepted us.
    std::function<void()> connected;
    /// That connection has ended.
    std::function<void()> ended;
    /// A canary has come back, see LivenessMonitor::report_canary_returns().
    std::function<void(MonotonicTime sent)> canary_returned;
  };
  /// To be called before start(), once.
  void report_link(LinkEvents events);

  /// `on_serving` is called by the connection's own thread, at most once for each connection: as
  /// soon as the subscriptions are granted, messages flow and are no longer old, and the self-test
  /// on the Jobs topics has ended without finding them blocked. It must not throw. To be called
  /// before start(), once.
  void report_serving(std::function<void()> on_serving);

  /// Whether to connect when there is no connection; true at the start unless this was called
  /// before. An existing connection stays. Publications that wait when a connection is wanted again
  /// are dropped. Any thread may call it.
  void set_wanted(bool wanted);

  /// Returns at once; connecting goes on in the background. To be called once.
  void start();

  void queue(Publication publication) override;
  void flush() override;

  struct State {
    bool connected = false;
    /// The address of the present connection, or that of the latest attempt: 0 is the settings'
    /// own, the others are `more_addresses`.
    std::size_t address = 0;
    /// Connected, and the broker has granted every subscription.
    bool subscribed = false;
    /// A canary has come back on this connection; never true without a canary.
    bool flowing = false;
    /// Whether there is a canary, and no reason is known why it could not come back.
    bool canary = false;
    std::string canary_fault;  ///< why canaries prove nothing; empty if they do, or are off
    std::optional<MonotonicTime> flowed;  ///< when the last one came back, on any connection
    Duration round_trip = {};             ///< how long that one took
    MonotonicTime since = {};             ///< when `connected` last changed
    std::size_t connections = 0;          ///< how often it has connected
    std::size_t waiting = 0;              ///< publications not sent yet
    std::size_t unacknowledged = 0;       ///< publications sent and not acknowledged
    std::size_t bytes = 0;                ///< of both
    std::uint64_t overflowed = 0;     ///< publications dropped because the queue was full, total
    std::uint64_t unpublishable = 0;  ///< publications invalid, too large or refused, total
    std::uint64_t replaced = 0;       ///< replies among those that were replaced by a rejection
    std::uint64_t unanswered = 0;     ///< replies among those that were not replaced
    std::uint64_t retried = 0;        ///< temporary refusals by the broker, total
    std::optional<Sender::Refused> last_refused;  ///< the last of the unpublishable ones
    std::vector<std::string> refused;             ///< topic filters that the broker did not grant
    /// What is wrong with the first of those.
    std::optional<BrokerFault> refusal;
    /// What this broker does not do as it should, although requests are served.
    std::vector<BrokerFault> shortcomings;
    TopicTest::State topics;           ///< whether requests arrive and replies are delivered
    std::optional<BrokerFault> fault;  ///< why there is no connection; nothing while there is one
  };
  [[nodiscard]] State state() const;
  /// What to allow if canary messages, requests or replies do not pass.
  [[nodiscard]] const AclHints& hints() const;

  /// Waits until everything queued has been acknowledged; false if that took too long.
  bool drain(Duration timeout);

  /// Disconnects and keeps the session; takes about a second at most. After it has returned,
  /// `on_message` is not called again, and queued publications stay queued. To be called by the
  /// owner, never from `on_message`.
  void stop();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jobs_bridge::mqtt
