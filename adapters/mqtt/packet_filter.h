#pragma once

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace jobs_bridge::mqtt {

/// Filters a broker's bytes before the MQTT library gets them. From a PUBLISH it removes what we do
/// not use and a device can make arbitrarily large:
///
/// - of a payload everything beyond the limit plus one byte. Truncated like that it is still too
///   large, so that its device gets a rejection, and the connection, which all devices share, goes
///   on;
/// - User Properties, of which ten thousand cost an MQTT library seconds, except the first one of
///   the broker plugin (bridge/jobs/arrival.h).
///
/// And from a CONNACK a Server Keep Alive that is 0 or longer than ours: Paho 1.3.14 and later
/// obeys it and would check the link never, or too seldom; and an Assigned Client Identifier, which
/// we do not need since we always send one, and upon which libmosquitto 2.0.21 ends the connection.
///
/// Everything else passes unchanged, and so do bytes that are not MQTT, which the library has to
/// judge. It never reads from its source beyond the present packet, so that no data is left here
/// that the library would not ask for. Not thread-safe.
class PacketFilter {
 public:
  struct Limits {
    std::size_t payload = 128 * 1024;  ///< bytes
    bool mqtt_5 = true;
    std::chrono::seconds keep_alive{65535};
  };
  explicit PacketFilter(Limits limits) : limits_(limits) {}

  /// Like read(2), from `source`, a function like read(2): (char* buffer, size_t size) -> ssize_t.
  template <typename Source>
  ssize_t read(Source&& source, void* buffer, std::size_t size) {
    auto* const bytes = static_cast<char*>(buffer);
    while (size > 0) {
      if (given_ < ready_.size()) return give(bytes, size);
      if (state_ == State::pass) {
        const auto got = source(bytes, std::min(size, passing_));
        if (got > 0) passed(static_cast<std::size_t>(got));
        return got;
      }
      std::array<char, 4096> piece;
      const auto got = source(piece.data(), std::min(piece.size(), wanted()));
      if (got <= 0) return got;
      take({piece.data(), static_cast<std::size_t>(got)});
    }
    return source(bytes, 0);
  }

  /// Whether the last PUBLISH was a redelivery: its DUP flag.
  [[nodiscard]] bool redelivered() const { return redelivered_; }
  /// The number of PUBLISH packets whose payload was truncated.
  [[nodiscard]] std::size_t truncated() const { return truncated_; }

 private:
  enum class State : std::uint8_t {
    head,        ///< the packet's first byte and its length
    connack,     ///< what follows them in a CONNACK
    topic,       ///< and what comes before the properties
    properties,  ///< after their length
    pass,        ///< so many bytes pass unchanged
    skip,        ///< so many bytes are dropped
  };
  [[nodiscard]] std::size_t wanted() const;
  void take(std::string_view bytes);
  void take_head(std::string_view bytes);
  void end_connack();
  ssize_t give(char* buffer, std::size_t size);
  void passed(std::size_t bytes);
  bool read_topic();
  bool read_property();
  /// Everything before the payload has been read or, if `may_truncate` is false, is not valid MQTT.
  void begin_payload(bool may_truncate);
  void next_part();
  void end_packet();

  Limits limits_;
  State state_ = State::head;
  bool not_mqtt_ = false;            ///< this is not MQTT: everything passes
  std::string head_;                 ///< first byte and length
  std::string pending_;              ///< received bytes not parsed yet
  std::size_t used_ = 0;             ///< bytes of pending_ already parsed
  std::size_t remaining_ = 0;        ///< bytes of the packet after pending_
  std::string topic_;                ///< as received, with the packet identifier
  std::string properties_;           ///< those that are kept
  std::size_t properties_left_ = 0;  ///< bytes of properties to come
  std::uint64_t seen_ = 0;           ///< identifiers of the properties seen, as bits
  bool has_arrival_ = false;         ///< the plugin's User Property has been kept
  std::size_t passing_ = 0;
  std::size_t skipping_ = 0;
  std::string ready_;  ///< output for the library
  std::size_t given_ = 0;
  std::size_t truncated_ = 0;
  bool redelivered_ = false;
};

}  // namespace jobs_bridge::mqtt
