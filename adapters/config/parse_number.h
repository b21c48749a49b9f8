#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace jobs_bridge::config {

/// All of `text` as a number.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

}  // namespace jobs_bridge::config
