#pragma once

#include <cstdint>

namespace jobs_bridge::mqtt {

/// The type of a property's value (MQTT 5, section 2.2.2.2).
enum class PropertyType : std::uint8_t {
  none,  ///< MQTT 5 defines no such property
  byte,
  two_bytes,
  four_bytes,
  variable,  ///< a variable byte integer
  text,      ///< a string or bytes, after a two-byte length
  text_pair,
};

constexpr PropertyType property_type(std::uint32_t identifier) {
  switch (identifier) {
    case 0x01:
    case 0x17:
    case 0x19:
    case 0x24:
    case 0x25:
    case 0x28:
    case 0x29:
    case 0x2A:
      return PropertyType::byte;
    case 0x13:
    case 0x21:
    case 0x22:
    case 0x23:
      return PropertyType::two_bytes;
    case 0x02:
    case 0x11:
    case 0x18:
    case 0x27:
      return PropertyType::four_bytes;
    case 0x0B:
      return PropertyType::variable;
    case 0x03:
    case 0x08:
    case 0x09:
    case 0x12:
    case 0x15:
    case 0x16:
    case 0x1A:
    case 0x1C:
    case 0x1F:
      return PropertyType::text;
    case 0x26:
      return PropertyType::text_pair;
    default:
      return PropertyType::none;
  }
}

}  // namespace jobs_bridge::mqtt
