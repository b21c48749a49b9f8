#include "bridge/jobs/http_date.h"

#include <algorithm>
#include <array>

#include "bridge/text/parse_number.h"

namespace jobs_bridge {
std::optional<std::chrono::sys_seconds> read_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view form = "..., .. ... .... ..:..:.. GMT";
  const auto fits = [](char one, char wanted) { return wanted == '.' || one == wanted; };
  if (!std::ranges::equal(text, form, fits)) return std::nullopt;
  const auto* const month = std::ranges::find(months, text.substr(8, 3));
  const auto day = parse_number<unsigned>(text.substr(5, 2));
  const auto year = parse_number<unsigned>(text.substr(12, 4));
  const auto hour = parse_number<unsigned>(text.substr(17, 2));
  const auto minute = parse_number<unsigned>(text.substr(20, 2));
  const auto second = parse_number<unsigned>(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - months.begin() + 1)),
      std::chrono::day(*day));
  // 60: a leap second.
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace jobs_bridge
