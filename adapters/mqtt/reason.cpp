#include "adapters/mqtt/reason.h"

#include <algorithm>
#include <cstddef>

#include "bridge/text/utf8.h"

namespace jobs_bridge::mqtt {

std::string describe_reason(int reason) {
  const auto name = name_of_reason(reason);
  return (name.empty() ? "unknown reason" : name) + " (" + std::to_string(reason) + ")";
}

std::string quote_words(std::string_view words) {
  constexpr std::size_t longest = 256;
  auto shown = without_controls(shortened(words, longest));
  if (shown.empty()) return {};
  std::ranges::replace(shown, '"', '?');
  return " (\"" + shown + "\")";
}

}  // namespace jobs_bridge::mqtt
