#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobs_bridge::mqtt {

/// Checks a broker's bytes before libmosquitto gets them, for two things:
///
/// - properties that MQTT 5 does not define (section 2.2.2.2). libmosquitto logs such a property
///   with a null client, and an assertion ends the process;
/// - limits of 0 in a CONNACK (sections 3.2.2.3.3 and 3.2.2.3.6). Newer versions of libmosquitto
///   end the connection upon them without a reason.
///
/// Detects no other errors; the library does that itself. Takes the bytes of one connection over
/// MQTT 5 in pieces of any size, and keeps none. Not thread-safe.
class PropertyCheck {
 public:
  /// Takes the next bytes. False if they contain one of these; must not be called again then.
  bool take(std::string_view bytes);
  [[nodiscard]] bool failed() const { return failed_; }
  /// Describes what was found.
  [[nodiscard]] std::string fault() const;
  /// Whether it is a limit of 0. What has another property may be no MQTT at all.
  [[nodiscard]] bool is_zero_limit() const;

 private:
  enum class State : std::uint8_t {
    first,   ///< byte of a packet
    length,  ///< of the packet
    topic_length,
    property_length,  ///< of all properties
    identifier,
    variable,  ///< byte integer
    number,
    text_length,
    skip,  ///< so many bytes
    lost,  ///< not MQTT; the library cannot parse it either
  };
  bool take(std::uint8_t byte);
  void begin_packet();
  void begin(State state);
  /// `then`: the state after the skipped bytes.
  void skip(std::size_t bytes, State then);
  void begin_number(unsigned bytes);
  bool begin_value();
  void end_value();
  /// Adds a byte of a variable byte integer. True if it was the last.
  bool add_variable(std::uint8_t byte);
  /// The same for an integer of fixed width.
  bool add_fixed(std::uint8_t byte, unsigned width);

  State state_ = State::first;
  State then_ = State::first;  ///< after `skip`
  std::uint8_t first_ = 0;
  std::size_t remaining_ = 0;    ///< left of the packet
  std::int64_t properties_ = 0;  ///< bytes of properties left
  std::size_t skip_ = 0;
  std::uint32_t identifier_ = 0;
  std::uint32_t number_ = 0;
  unsigned width_ = 0;   ///< of a number, in bytes
  unsigned digits_ = 0;  ///< bytes of the integer received so far
  bool failed_ = false;
  int texts_ = 0;  ///< further texts of this property to come
};

}  // namespace jobs_bridge::mqtt
