#include "adapters/config/quantity.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "bridge/text/ascii.h"

namespace jobs_bridge::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t microseconds_a_second = 1'000'000;
constexpr Unit duration_units[] = {
    {"us", 1},
    {"ms", 1000},
    {"s", microseconds_a_second},
    {"m", 60 * microseconds_a_second},
    {"min", 60 * microseconds_a_second},
    {"h", 3600 * microseconds_a_second},
    {"d", 86400 * microseconds_a_second},
};

constexpr Unit size_units[] = {
    {"B", 1},      {"KB", 1000},         {"MB", 1000 * 1000},         {"GB", 1000 * 1000 * 1000},
    {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024},
};

/// The text with a unit in place of one that is missing or has its letters in the wrong case; empty
/// if that is not what is wrong.
std::string meant_by(std::string_view text, std::span<const Unit> units, std::string_view usual) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return {};
  std::string number(text.substr(0, digits));
  auto name = text.substr(digits);
  while (name.starts_with(' ')) name.remove_prefix(1);
  if (name.empty()) return number.append(usual);
  for (const auto& unit : units) {
    if (equal_ignoring_case(name, unit.name)) return number.append(unit.name);
  }
  return {};
}

Failure<std::string> expected(std::string text, const std::string& meant) {
  if (!meant.empty()) text += "; did you mean \"" + meant + "\"?";
  return {std::move(text)};
}

/// The amount in the smallest unit; nothing unless all of `text` is a number and a unit.
std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  const auto name = text.substr(static_cast<std::size_t>(rest - text.data()));
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& candidate) { return candidate.name == name; });
  if (unit == units.end()) return std::nullopt;
  // Durations must also fit into a signed count.
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (number > most / unit->factor) return std::nullopt;
  return number * unit->factor;
}

}  // namespace

Result<std::chrono::milliseconds, std::string> parse_duration(std::string_view text) {
  const auto microseconds = parse(text, duration_units);
  if (!microseconds || *microseconds % 1000 != 0) {
    return expected("a whole number with a unit (ms, s, min, h or d)",
                    meant_by(text, duration_units, "s"));
  }
  return std::chrono::milliseconds(*microseconds / 1000);
}

Result<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto bytes = parse(text, size_units);
  if (!bytes) {
    return expected("a whole number with a unit (B, KB, MB, GB, KiB, MiB or GiB)",
                    meant_by(text, size_units, "B"));
  }
  return *bytes;
}

}  // namespace jobs_bridge::config
