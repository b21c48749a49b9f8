#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jobs_bridge::mqtt {

/// Looks at a broker's bytes before the MQTT library does, for properties that MQTT 5 does not have
/// (section 2.2.2.2). libmosquitto writes a line about such a one to a client that is not there,
/// and an assertion ends the process.
///
/// Sees nothing else that is wrong, which the library does by itself. Takes the bytes of one
/// connection over MQTT 5 in pieces of any size, and keeps none. Not thread-safe.
class PropertyCheck {
 public:
  /// The next bytes. False: there is such a property among them; not to be called again.
  bool take(std::string_view bytes);
  [[nodiscard]] bool failed() const { return failed_; }
  /// Of that property.
  [[nodiscard]] std::uint32_t identifier() const { return number_; }

 private:
  enum class State : std::uint8_t {
    first,   ///< byte of a packet
    length,  ///< of the packet
    topic_length,
    property_length,  ///< of all properties
    identifier,
    number,  ///< a variable byte integer
    text_length,
    skip,  ///< so many bytes
    lost,  ///< the library cannot read this either
  };
  bool take(std::uint8_t byte);
  void begin_packet();
  void begin(State state);
  /// `then`: first, to go on behind a value.
  void skip(std::size_t bytes, State then);
  void skip_value(unsigned bytes);
  bool begin_value();
  void end_value();
  /// A byte of a variable byte integer. True: that was its last.
  bool add_variable(std::uint8_t byte);
  /// Likewise of one of two bytes.
  bool add_fixed(std::uint8_t byte);

  State state_ = State::first;
  State then_ = State::first;  ///< after `skip`
  std::uint8_t first_ = 0;
  std::size_t remaining_ = 0;    ///< of the packet
  std::int64_t properties_ = 0;  ///< bytes of them that are left
  std::size_t skip_ = 0;
  std::uint32_t number_ = 0;
  unsigned digits_ = 0;  ///< bytes of it that are there
  bool failed_ = false;
  int texts_ = 0;  ///< of this property that are to come after this one
};

}  // namespace jobs_bridge::mqtt
