#include "adapters/config/quantity.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "bridge/text/ascii.h"
#include "bridge/text/parse_number.h"

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

/// How people write units; each is that many times one of ours. Case does not matter here.
struct Alias {
  std::string_view name;
  std::string_view unit;
  std::uint64_t times = 1;
};

constexpr Alias duration_aliases[] = {
    {"msec", "ms"}, {"millisecond", "ms"}, {"sec", "s"}, {"second", "s"}, {"minute", "min"},
    {"hr", "h"},    {"hour", "h"},         {"day", "d"}, {"w", "d", 7},   {"week", "d", 7},
};

constexpr Alias size_aliases[] = {
    {"byte", "B"},        {"k", "KiB"},       {"ki", "KiB"},      {"m", "MiB"},
    {"mi", "MiB"},        {"g", "GiB"},       {"gi", "GiB"},      {"t", "GiB", 1024},
    {"tib", "GiB", 1024}, {"kilobyte", "KB"}, {"megabyte", "MB"}, {"gigabyte", "GB"},
};

struct Units {
  std::span<const Unit> units;
  std::span<const Alias> aliases;
  std::string_view usual;  ///< where none is given
};

constexpr Units durations{duration_units, duration_aliases, "s"};
constexpr Units sizes{size_units, size_aliases, "B"};

/// The unit of ours that `name` stands for, and how many of it.
std::optional<Alias> unit_meant(std::string_view name, const Units& known) {
  if (name.empty()) return Alias{name, known.usual};
  for (const auto& unit : known.units) {
    if (equal_ignoring_case(name, unit.name)) return Alias{name, unit.name};
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  for (int plural = 0; plural < 2; ++plural) {
    for (const auto& alias : known.aliases) {
      if (equal_ignoring_case(name, alias.name)) return alias;
    }
    if (!name.ends_with('s') && !name.ends_with('S')) break;
    name.remove_suffix(1);
  }
  return std::nullopt;
}

/// The amount with the largest unit of ours that needs no fraction.
std::string in_largest_unit(std::uint64_t amount, const Units& known) {
  const Unit* best = &known.units.front();
  for (const auto& unit : known.units) {
    if (amount % unit.factor == 0 && unit.factor >= best->factor) best = &unit;
  }
  return std::to_string(amount / best->factor).append(best->name);
}

/// Takes a run of digits from the beginning of `text`.
std::string_view take_digits(std::string_view& text) {
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  text.remove_prefix(digits.size());
  return digits;
}

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

/// A number and its unit as people write them.
struct Part {
  std::uint64_t amount = 0;  ///< in the smallest unit
  std::string text;          ///< in a unit of ours; empty if that is not the one that was written
};

/// Takes one from the beginning of `text`.
std::optional<Part> take_part(std::string_view& text, const Units& known) {
  constexpr std::size_t max_digits = 9;
  constexpr std::size_t max_places = 3;
  const auto whole = take_digits(text);
  std::string_view places;
  if (text.starts_with('.') || text.starts_with(',')) {
    text.remove_prefix(1);
    places = take_digits(text);
    if (places.empty()) return std::nullopt;
  }
  if (whole.empty() || whole.size() > max_digits || places.size() > max_places) {
    return std::nullopt;
  }
  skip_spaces(text);
  const auto name = text.substr(0, text.find_first_of(" 0123456789"));
  text.remove_prefix(name.size());
  skip_spaces(text);
  const auto meant = unit_meant(name, known);
  if (!meant) return std::nullopt;
  const auto factor = std::ranges::find(known.units, meant->unit, &Unit::name)->factor;
  std::uint64_t scale = 1;
  for (std::size_t place = 0; place < places.size(); ++place) scale *= 10;
  const auto fraction = parse_number<std::uint64_t>(places).value_or(0) * meant->times * factor;
  if (fraction % scale != 0) return std::nullopt;
  const auto number = parse_number<std::uint64_t>(whole).value_or(0) * meant->times;
  return Part{.amount = number * factor + fraction / scale,
              .text = places.empty() ? std::to_string(number).append(meant->unit) : std::string()};
}

/// What was probably meant, such as "64MiB" for "64M" or "1500ms" for "1.5 seconds"; empty if that
/// cannot be told.
std::string meant_by(std::string_view text, const Units& known) {
  constexpr std::size_t longest = 64;
  if (text.size() > longest) return {};
  const auto first = take_part(text, known);
  if (!first) return {};
  if (text.empty() && !first->text.empty()) return first->text;
  auto amount = first->amount;
  while (!text.empty()) {
    const auto next = take_part(text, known);
    if (!next) return {};
    amount += next->amount;
  }
  return in_largest_unit(amount, known);
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
    return expected("a whole number with a unit (ms, s, min, h or d)", meant_by(text, durations));
  }
  return std::chrono::milliseconds(*microseconds / 1000);
}

Result<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto bytes = parse(text, size_units);
  if (!bytes) {
    return expected("a whole number with a unit (B, KB, MB, GB, KiB, MiB or GiB)",
                    meant_by(text, sizes));
  }
  return *bytes;
}

}  // namespace jobs_bridge::config
