#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "bridge/text/ascii.h"

/// What is done with text from outside before a person reads it.
namespace jobs_bridge {

/// The beginning of `text`, at most `most` bytes, without a part of a UTF-8 character at its end.
constexpr std::string_view shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most);
}

/// With a '?' in place of each control character, those from U+0080 to U+009F included, which some
/// terminals obey as well.
inline std::string without_controls(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(result, is_control, '?');
  for (std::size_t i = 0; i + 1 < result.size(); ++i) {
    const auto second = static_cast<unsigned char>(result[i + 1]);
    if (result[i] == '\xC2' && second >= 0x80 && second <= 0x9F) result.replace(i, 2, "?");
  }
  return result;
}

}  // namespace jobs_bridge
