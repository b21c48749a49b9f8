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
#include "adapters/mqtt/sender.h"
#include "adapters/mqtt/topic_test.h"
#include "bridge/jobs/message.h"
#include "bridge/ports.h"
#include "bridge/time.h"

namespace jobs_bridge::mqtt {

struct BrokerSettings {
  enum class Protocol { v5, v3_1_1 };

  std::string host;
  std::uint16_t port = 1883;
  bool tls = false;
  Protocol protocol = Protocol::v5;
  std::string client_id;
  std::string username;  ///< empty: none
  std::string password;
  std::string ca_file;           ///< PEM; empty: the system's authorities
  std::string certificate_file;  ///< PEM, for mutual TLS; empty: none
  std::string private_key_file;
  /// How long the broker keeps our subscriptions, and what arrives on them, while we are away.
  /// Over MQTT 3.1.1, where there is no such number, anything but 0 means: as long as it likes.
  std::chrono::seconds session_expiry{3600};
  /// A link that is dead without a word is noticed within 1.5 times this; at least 4 s.
  std::chrono::seconds keep_alive{15};
  /// Where we publish to ourselves, to see that messages flow; empty: nowhere. What others publish
  /// there is ignored. It must not match a topic filter.
  std::string canary_topic;
  /// Topic filters to subscribe to besides, which are no loss if the broker refuses them.
  std::vector<std::string> optional_filters = {};
  /// Where we publish to see that requests come in and replies go out; without requests: nowhere.
  TopicTest::Topics test_topics = {};
  /// For TCP, TLS and the broker's answer together; a name look-up may take as long again.
  std::chrono::seconds connect_timeout{5};
  /// How often refused subscriptions are asked for again: an operator may be mending the ACL.
  std::chrono::seconds subscribe_again{30};
  /// Bounds of what waits to be published or acknowledged. Past one, the oldest waiting reply is
  /// dropped: its device has given up long before the others.
  /// The number is that of a large site's devices asking all at once: the broker then hands us
  /// their requests before it acknowledges a reply, so nearly all replies wait here.
  std::size_t max_queued_publications = 100000;
  std::size_t max_queued_bytes = std::size_t{64} << 20;
  /// The most publications sent and not acknowledged, if the broker does not allow fewer.
  std::size_t max_unacknowledged = 128;
  /// The largest packet the broker may send us. Over MQTT 5 it is told so and withholds larger
  /// ones; one that comes nevertheless ends the connection, if it is above a mebibyte, before it is
  /// taken into memory. If larger ones come again and again at once the broker has to forget what
  /// it keeps for us.
  std::size_t max_packet_size = std::size_t{1} << 20;
};

/// The connection to the local broker. It connects, subscribes and stays so: a broker that is not
/// there, or goes away, is tried again for ever, after pauses that grow from 0.1 to 10 seconds.
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

  /// Returns at once; connecting goes on in the background. To be called once.
  void start();

  void queue(Publication publication) override;
  void flush() override;

  struct State {
    bool connected = false;
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
    TopicTest::State topics;                      ///< whether requests come in and replies go out
    std::string last_fault;  ///< why there is no connection; empty while there is one
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
