#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace jobs_bridge {

/// All of `text` as a decimal number of type T; nothing if it is not one or does not fit.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace jobs_bridge
