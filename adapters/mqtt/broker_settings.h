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

  /// A topic, a Response Topic, Correlation Data, a Content Type, and what is small.
  static constexpr std::size_t most_beside_payload = std::size_t{4} * 65540;

  struct Address {
    std::string host;
    std::uint16_t port = 1883;
    bool tls = false;
  };

  /// Where the broker is. With TLS the host is also the name that its certificate must have.
  std::string host;
  std::uint16_t port = 1883;
  bool tls = false;
  /// Where it is besides, such as the other nodes of a cluster: tried in turn.
  std::vector<Address> more_addresses = {};
  Protocol protocol = Protocol::v5;
  Library library = default_library;
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
  /// The largest packet the broker may send us: its payload, and what its topic and properties take
  /// at most. Over MQTT 5 it is told so and may withhold larger ones. Of a larger message that
  /// comes nevertheless the end is cut off, see PacketFilter. Any other packet that is larger, and
  /// than a mebibyte, ends the connection before it is taken into memory. If such come again and
  /// again at once the broker has to forget what it keeps for us.
  std::size_t max_packet_size = (std::size_t{1} << 20) + most_beside_payload;
};

/// What the filter of such a connection lets through.
inline PacketFilter::Limits filter_limits(const BrokerSettings& settings) {
  constexpr auto beside = BrokerSettings::most_beside_payload;
  const auto most = settings.max_packet_size;
  return {.payload = most > beside ? most - beside : most,
          .mqtt_5 = settings.protocol == BrokerSettings::Protocol::v5,
          .keep_alive = settings.keep_alive};
}

}  // namespace jobs_bridge::mqtt
