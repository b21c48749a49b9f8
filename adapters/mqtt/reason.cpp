#include "adapters/mqtt/reason.h"

#include <algorithm>
#include <cstddef>

#include "bridge/text/utf8.h"

namespace jobs_bridge::mqtt {
namespace {

Refusal::Kind kind_of(int reason) {
  using Kind = Refusal::Kind;
  switch (reason) {
    case not_authorized:
      return Kind::not_authorized;
    case topic_name_invalid:
      return Kind::invalid_topic;
    case packet_too_large:
      return Kind::too_large;
    case payload_format_invalid:
      return Kind::invalid_payload;
    case quota_exceeded:
      return Kind::quota_exceeded;
    default:
      return Kind::unavailable;
  }
}

}  // namespace

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

Refusal refusal_of(int reason, const std::string& words) {
  return {.kind = kind_of(reason),
          .detail = "refused by the broker: " + describe_reason(reason) + words};
}

}  // namespace jobs_bridge::mqtt
