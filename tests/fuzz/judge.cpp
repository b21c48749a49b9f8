#include "tests/fuzz/judge.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace jobs_bridge::fuzz {
namespace {

using nlohmann::json;

/// The code unit of `\uXXXX` at `text`'s beginning; 0 if there is none.
unsigned escaped_unit(std::string_view text) {
  unsigned unit = 0;
  if (text.size() < 6 || !text.starts_with("\\u")) return 0;
  const char* const end = text.data() + 6;
  const auto [stop, error] = std::from_chars(text.data() + 2, end, unit, 16);
  return error == std::errc() && stop == end ? unit : 0;
}

/// The length of the escape at `text`'s beginning, appended to `to` in its place.
std::size_t copy_escape(std::string_view text, std::string& to) {
  const auto unit = escaped_unit(text);
  if (unit < 0xD800 || unit > 0xDFFF) {
    to += text.substr(0, 2);
    return std::min<std::size_t>(2, text.size());
  }
  const auto second = escaped_unit(text.substr(6));
  const bool pair = unit < 0xDC00 && second >= 0xDC00 && second <= 0xDFFF;
  to += pair ? text.substr(0, 12) : std::string_view("\\ufffd");
  return pair ? 12 : 6;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The number of digits at `text`'s beginning, of which `most` are appended to `to`.
std::size_t copy_digits(std::string_view text, std::size_t most, std::string& to) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  to += text.substr(0, std::min(count, most));
  return count;
}

/// The length of the exponent at `text`'s beginning, appended to `to` with two digits at most.
std::size_t copy_exponent(std::string_view text, std::string& to) {
  std::size_t at = 1;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  to += text.substr(0, at);
  return at + copy_digits(text.substr(at), 2, to);
}

std::string without_differences(std::string_view text) {
  std::string same;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') in_string = !in_string;
    const bool after_digit = at > 0 && is_digit(text[at - 1]);
    if (in_string && c == '\\') {
      at += copy_escape(text.substr(at), same);
    } else if (!in_string && (c == 'e' || c == 'E') && after_digit) {
      at += copy_exponent(text.substr(at), same);
    } else if (!in_string && is_digit(c)) {
      at += copy_digits(text.substr(at), 100, same);
    } else {
      same += c;
      ++at;
    }
  }
  return same;
}

}  // namespace

std::optional<json> judged(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != text.npos) return std::nullopt;
  auto value = json::parse(without_differences(text), nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

}  // namespace jobs_bridge::fuzz
