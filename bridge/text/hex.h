#pragma once

#include <string>
#include <string_view>

#include "bridge/text/ascii.h"

namespace jobs_bridge {

inline constexpr std::string_view small_hex_digits = "0123456789abcdef";
inline constexpr std::string_view capital_hex_digits = "0123456789ABCDEF";

/// Appends the two digits of a byte.
inline void append_hex(std::string& to, char c, std::string_view digits = small_hex_digits) {
  const auto byte = static_cast<unsigned char>(c);
  to += digits[byte >> 4U];
  to += digits[byte & 0x0FU];
}

/// Its value as a hexadecimal digit; -1 if it is not one.
constexpr int hex_digit_value(char c) {
  if (is_digit(c)) return c - '0';
  const char small = to_lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace jobs_bridge
