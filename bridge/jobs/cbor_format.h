#pragma once

#include <cstdint>
#include <string>

#include "bridge/jobs/cbor.h"

/// The bytes of CBOR (RFC 8949).
namespace jobs_bridge::cbor_format {

/// The three upper bits of an item's first byte (RFC 8949, section 3.1).
enum class Major : std::uint8_t {
  unsigned_integer,
  negative_integer,
  byte_string,
  text_string,
  array,
  map,
  tag,
  other
};

// The five lower bits (section 3): below 24 the argument itself, then where to find it.
inline constexpr std::uint8_t in_one_byte = 24;
inline constexpr std::uint8_t in_eight_bytes = 27;
inline constexpr std::uint8_t indefinite = 31;
// What they mean under Major::other (section 3.3).
inline constexpr std::uint8_t simple_false = 20;
inline constexpr std::uint8_t simple_true = 21;
inline constexpr std::uint8_t simple_null = 22;
inline constexpr std::uint8_t simple_undefined = 23;
inline constexpr std::uint8_t half_float = 25;
inline constexpr std::uint8_t single_float = 26;
inline constexpr std::uint8_t double_float = 27;
inline constexpr char break_code = '\xFF';

/// The text of the error, for both directions.
inline std::string too_deep() {
  return "nesting deeper than " + std::to_string(max_cbor_nesting) + " levels";
}

}  // namespace jobs_bridge::cbor_format
