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
#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "adapters/mqtt/sender.h"
#include "adapters/mqtt/topic_test.h"
#include "bridge/jobs/message.h"
#include "bridge/ports.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

/// The connection to the local broker. It connects, subscribes and stays so: a broker that is not
/// there, or goes away, is tried again for ever, after pauses that grow from 0.1 to 10 seconds.
/// Of several addresses the next one is tried each time, and the pauses grow only once all have
/// been tried; a connection that holds is not left for an earlier address.
///
/// What was queued for publishing outlives the connection: it is sent once the broker is back, in
/// order for each thing, and again if its acknowledgement was lost. (At least once, as MQTT QoS 1
/// has it.) Given up is only what finds no room in the queue. A reply that no broker takes (an
/// invalid topic, larger than it allows), that the broker refuses, or that has been the end of
/// connection after connection, is replaced by a small rejection, as Sender has it.
class BrokerConnection final : public Publisher {
 public:
  using OnMessage = std::function<void(Message)>;

  /// `on_message` is called for every message, one at a time, on a thread that holds the MQTT
  /// library's lock. It must not block and not throw; it may call queue() and flush().
  /// `log` must outlive the connection.
  ///
  /// Removes http_proxy and https_proxy from the environment, so it belongs before other threads:
  /// Paho 1.3.12 would send MQTT through such a proxy and has no option against it.
  ///
  /// A library without threads of its own works on `loop`, and calls `on_message` there; it must
  /// outlive the connection.
  BrokerConnection(BrokerSettings settings, std::vector<std::string> topic_filters,
                   OnMessage on_message, fibers::EventLoop& loop, Log& log);
  BrokerConnection(const BrokerConnection&) = delete;
  BrokerConnection& operator=(const BrokerConnection&) = delete;
  ~BrokerConnection() override;

  /// `on_taken`: see Sender; it is called where `on_message` is, or by whoever calls flush(). To be
  /// called before start(), once.
  void report_taken(Sender::OnTaken on_taken);

  /// What becomes of the connection, for who has to know at once. Called as `on_message` is, or by
  /// the connection's own thread; must not block, nor throw.
  struct LinkEvents {
    /// The broker has accepted us, a moment ago.
    std::function<void()> connected;
    /// That connection is over.
    std::function<void()> ended;
    /// A message to ourselves has come back, see Flow::report_returns().
    std::function<void(MonotonicTime sent)> came_back;
  };
  /// To be called before start(), once.
  void report_link(LinkEvents events);

  /// Whether to connect when there is no connection; so from the start, unless this was called
  /// before. One that there is stays. What waits to be published when it is wanted again is
  /// dropped. Any thread.
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
    /// A message to ourselves has come back on this connection; never so without a canary.
    bool flowing = false;
    /// Whether there is a canary, and nothing is known against its coming back.
    bool canary = false;
    std::string canary_fault;             ///< why canaries tell nothing; empty: they do, or are off
    std::optional<MonotonicTime> flowed;  ///< when the last one came back, on any connection
    Duration round_trip = {};             ///< how long that one took
    MonotonicTime since = {};             ///< when `connected` last changed
    std::size_t connections = 0;          ///< how often it has connected
    std::size_t waiting = 0;              ///< publications that have not been sent
    std::size_t unacknowledged = 0;       ///< publications sent and not acknowledged
    std::size_t bytes = 0;                ///< of both
    std::uint64_t overflowed = 0;         ///< publications dropped for want of room, ever
    std::uint64_t unpublishable = 0;      ///< publications invalid, too large or refused, ever
    std::uint64_t replaced = 0;           ///< replies among those that a rejection stood in for
    std::uint64_t unanswered = 0;         ///< replies among those in whose place nothing went
    std::uint64_t retried = 0;            ///< how often the broker refused one for now, ever
    std::optional<Sender::Refused> last_refused;  ///< of those that are unpublishable
    std::vector<std::string> refused;             ///< topic filters that the broker did not grant
    /// Of those, what is wrong with the first.
    std::optional<BrokerFault> refusal;
    /// What this broker does not do as it should, although requests are served.
    std::vector<BrokerFault> shortcomings;
    TopicTest::State topics;           ///< whether requests come in and replies go out
    std::optional<BrokerFault> fault;  ///< why there is no connection; nothing while there is one
  };
  [[nodiscard]] State state() const;

  /// Waits until everything queued has been acknowledged; false if that took too long.
  bool drain(Duration patience);

  /// Disconnects and keeps the session; takes about a second at most. After it has returned
  /// `on_message` is not called again, and what is queued stays so. To be called by the owner,
  /// never from `on_message`.
  void stop();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jobs_bridge::mqtt
