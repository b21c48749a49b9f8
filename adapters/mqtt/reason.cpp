#include "adapters/mqtt/reason.h"

#include <cstddef>

namespace jobs_bridge::mqtt {

std::string describe_reason(int reason) {
  const auto name = name_of_reason(reason);
  return (name.empty() ? "unknown reason" : name) + " (" + std::to_string(reason) + ")";
}

std::string quote_words(std::string_view words) {
  constexpr std::size_t longest = 256;
  if (words.size() > longest) {
    auto end = longest;
    while (end > 0 && (words[end] & 0xC0) == 0x80) --end;  // not within a character of UTF-8
    words = words.substr(0, end);
  }
  if (words.empty()) return {};
  std::string quoted = " (\"";
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto byte = static_cast<unsigned char>(words[i]);
    const auto next = i + 1 < words.size() ? static_cast<unsigned char>(words[i + 1]) : 0U;
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 to U+009F
      quoted += '?';
      ++i;
    } else {
      quoted += byte < 0x20 || byte == 0x7F || byte == '"' ? '?' : words[i];
    }
  }
  return quoted + "\")";
}

}  // namespace jobs_bridge::mqtt
