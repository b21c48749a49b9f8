#pragma once

#include <algorithm>
#include <string>
#include <string_view>

/// Characters of ASCII, whatever the process's locale. Bytes beyond ASCII are neither letters nor
/// control characters, and stay as they are.
namespace jobs_bridge {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

constexpr bool is_letter(char c) {
  return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

constexpr bool is_letter_or_digit(char c) {
  return is_letter(c) || is_digit(c);
}

/// Below a space, or DEL.
constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

/// A space, or what leaves a mark.
constexpr bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

/// Whether `text` has no space, no control character and nothing beyond ASCII.
constexpr bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_printable(c) && c != ' '; });
}

constexpr bool equal_ignoring_case(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, to_lower, to_lower);
}

inline std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_lower);
  return result;
}

/// Without the spaces and tabs around it.
constexpr std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
  return text.substr(0, text.find_last_not_of(spaces) + 1);
}

}  // namespace jobs_bridge
