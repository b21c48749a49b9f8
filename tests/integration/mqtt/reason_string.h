#pragma once

#include <string>
#include <string_view>

namespace jobs_bridge::testing_support {

/// The properties of a packet: a Reason String alone, with their length in front.
inline std::string reason_string(std::string_view words) {
  const auto length = words.size() + 3;
  std::string properties;
  if (length >= 128) properties += static_cast<char>(0x80 | (length & 0x7F));
  properties += static_cast<char>(length >= 128 ? length >> 7 : length);
  properties += '\x1F';
  properties += static_cast<char>(words.size() >> 8);
  properties += static_cast<char>(words.size() & 0xFF);
  return properties.append(words);
}

}  // namespace jobs_bridge::testing_support
