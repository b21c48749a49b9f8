#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/mqtt/library.h"
#include "adapters/mqtt/packet_filter.h"
#include "adapters/mqtt/topic_test.h"

namespace jobs_bridge::mqtt {

struct BrokerSettings {
  enum class Protocol { v5, v3_1_1 };

  /// The maximum of topic, Response Topic, Correlation Data, Content Type and small properties.
  static constexpr std::size_t max_beside_payload = std::size_t{4} * 65540;

  struct Address {
    std::string host;
    std::uint16_t port = 1883;
    bool tls = false;
  };

  /// The broker's address. With TLS the host is also the name that its certificate must contain.
  std::string host;
  std::uint16_t port = 1883;
  bool tls = false;
  /// Further addresses, such as the other nodes of a cluster: tried in turn.
  std::vector<Address> more_addresses = {};
  Protocol protocol = Protocol::v5;
  Library library = default_library;
  std::string client_id;
  std::string username;  ///< empty: none
  std::string password;
  std::string ca_file;           ///< PEM; empty: the system's authorities
  std::string certificate_file;  ///< PEM, for mutual TLS; empty: none
  std::string private_key_file;
  /// How long the broker keeps our subscriptions, and messages for them, while we are disconnected.
  /// MQTT 3.1.1 has no such number: anything but 0 then means as long as the broker chooses.
  std::chrono::seconds session_expiry{3600};
  /// A silently dead link is detected within 1.5 times this; at least 4 s.
  std::chrono::seconds keep_alive{15};
  /// The topic on which we publish to ourselves to check that messages flow; empty: none. Messages
  /// of others on it are ignored. No topic filter may match it.
  std::string canary_topic;
  /// Additional topic filters, which the broker may refuse without harm.
  std::vector<std::string> optional_filters = {};
  /// The topics on which we check that requests arrive and replies are delivered; no check if it
  /// has no request topics.
  TopicTest::Topics test_topics = {};
  /// For TCP, TLS and the broker's answer together; the name lookup may take as long in addition.
  std::chrono::seconds connect_timeout{5};
  /// The interval at which refused subscriptions are requested again: an operator may correct the
  /// ACL.
  std::chrono::seconds subscribe_again{30};
  /// Bounds for publications that wait to be sent or acknowledged. Beyond a bound the oldest
  /// waiting one is dropped: its device gave up long before the others. The number allows for all
  /// devices of a large site sending requests at once: the broker then delivers their requests
  /// before it acknowledges a reply, so nearly all replies wait here.
  std::size_t max_queued_publications = 100000;
  std::size_t max_queued_bytes = std::size_t{64} << 20;
  /// The maximum number of publications sent and not acknowledged, unless the broker allows fewer.
  std::size_t max_unacknowledged = 128;
  /// The largest packet that the broker may send us: the payload plus the maximum for topic and
  /// properties. Over MQTT 5 the broker is told this limit and may withhold larger packets. A
  /// larger message that arrives nevertheless is truncated, see PacketFilter. Any other packet
  /// larger than this and than a mebibyte ends the connection before it is read into memory. If
  /// this happens repeatedly right after connecting, we have the broker discard our session.
  std::size_t max_packet_size = (std::size_t{1} << 20) + max_beside_payload;
};

/// The limits of the packet filter for such a connection.
inline PacketFilter::Limits filter_limits(const BrokerSettings& settings) {
  constexpr auto beside = BrokerSettings::max_beside_payload;
  const auto most = settings.max_packet_size;
  return {.payload = most > beside ? most - beside : most,
          .mqtt_5 = settings.protocol == BrokerSettings::Protocol::v5,
          .keep_alive = settings.keep_alive};
}

}  // namespace jobs_bridge::mqtt
