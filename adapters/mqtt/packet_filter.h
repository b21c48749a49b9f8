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

/// Stands between a broker's bytes and the MQTT library. Takes from a PUBLISH what nobody here
/// reads and what a device can make as large as it likes:
///
/// - of a payload all that is beyond the limit and one byte more. Cut like that it is still too
///   large, so that its device is told so, and the connection, which is everybody's, goes on;
/// - User Properties, of which ten thousand cost an MQTT library seconds; but for the first that is
///   the broker plugin's (bridge/jobs/arrival.h).
///
/// And from a CONNACK a Server Keep Alive that is 0 or longer than ours: Paho 1.3.14 and later
/// obeys it and would look after the link never, or too seldom; and an Assigned Client Identifier,
/// which is nothing to us who have sent one, and over which libmosquitto 2.0.21 ends the
/// connection.
///
/// Everything else passes as it is, and so does what cannot be read as MQTT, which the library has
/// to judge. Asks its source for nothing beyond the packet that it is in, so that nothing is left
/// here that the library does not ask for by itself. Not thread-safe.
class PacketFilter {
 public:
  struct Limits {
    std::size_t payload = 128 * 1024;  ///< bytes
    bool mqtt_5 = true;
    std::chrono::seconds keep_alive{65535};
  };
  explicit PacketFilter(Limits limits) : limits_(limits) {}

  /// As read(2), from `source`, which is one likewise: (char* buffer, size_t size) -> ssize_t.
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

  /// Whether the last PUBLISH was sent before: its DUP flag.
  [[nodiscard]] bool redelivered() const { return redelivered_; }
  /// PUBLISH packets of which part of the payload was left out.
  [[nodiscard]] std::size_t cut() const { return cut_; }

 private:
  enum class State : std::uint8_t {
    head,        ///< the packet's first byte and its length
    connack,     ///< what follows them in a CONNACK
    topic,       ///< and what comes before the properties
    properties,  ///< after their length
    pass,        ///< so many bytes, as they are
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
  /// All that comes before it is known, or, if it may not be cut, is none of MQTT's.
  void begin_payload(bool may_cut);
  void next_part();
  void end_packet();

  Limits limits_;
  State state_ = State::head;
  bool lost_ = false;                ///< this is no MQTT: all that comes passes
  std::string head_;                 ///< first byte and length
  std::string pending_;              ///< what is not understood yet, as it came
  std::size_t used_ = 0;             ///< of it
  std::size_t remaining_ = 0;        ///< of the packet, behind what is pending
  std::string topic_;                ///< as it came, with the packet's identifier
  std::string properties_;           ///< those that are kept
  std::size_t properties_left_ = 0;  ///< bytes of them
  std::uint64_t seen_ = 0;           ///< identifiers of properties
  bool has_arrival_ = false;         ///< the plugin's User Property is among those
  std::size_t passing_ = 0;
  std::size_t skipping_ = 0;
  std::string ready_;  ///< for the library
  std::size_t given_ = 0;
  std::size_t cut_ = 0;
  bool redelivered_ = false;
};

}  // namespace jobs_bridge::mqtt
