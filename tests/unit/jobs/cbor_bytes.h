#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bridge/jobs/cbor.h"

namespace jobs_bridge::testing_support {

/// Hexadecimal digits, with or without spaces, as the bytes they stand for.
inline std::string bytes(std::string_view hexadecimal) {
  std::string result;
  int high = -1;
  for (const char c : hexadecimal) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      result += static_cast<char>(high << 4 | digit);
      high = -1;
    }
  }
  return result;
}

inline std::string hexadecimal(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    result += digits[static_cast<unsigned char>(c) >> 4];
    result += digits[static_cast<unsigned char>(c) & 0xF];
  }
  return result;
}

/// The JSON text, or what is wrong.
inline std::string decoded(std::string_view cbor) {
  const auto json = json_from_cbor(cbor);
  return json ? *json : "refused: " + json.error();
}

/// The CBOR in hexadecimal, or what is wrong.
inline std::string encoded(std::string_view json) {
  const auto cbor = cbor_from_json(json);
  return cbor ? hexadecimal(*cbor) : "refused: " + cbor.error();
}

inline std::string repeated(std::string_view part, std::size_t times) {
  std::string result;
  for (; times > 0; --times) result += part;
  return result;
}

}  // namespace jobs_bridge::testing_support
