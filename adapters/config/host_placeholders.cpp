#include "adapters/config/host_placeholders.h"

#include <unistd.h>

#include <array>
#include <string_view>

#include "adapters/config/quote.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::config {
namespace {

bool is_placeholder_character(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}

/// A word in braces, from its '{' to behind its '}'.
struct Place {
  std::size_t begin = std::string::npos;  ///< npos: there is none
  std::size_t end = std::string::npos;
};

Place next_place(const std::string& value, std::size_t from) {
  for (auto begin = value.find('{', from); begin != std::string::npos;
       begin = value.find('{', begin + 1)) {
    auto end = begin + 1;
    while (end < value.size() && is_placeholder_character(value[end])) ++end;
    if (end < value.size() && value[end] == '}' && end > begin + 1) return {begin, end + 1};
  }
  return {};
}

/// `first`: what ordinal 0 counts as.
std::optional<Problem> replace_placeholders(std::string& value, const std::string& host,
                                            std::uint32_t first) {
  std::string replaced;
  std::size_t done = 0;
  for (auto place = next_place(value, 0); place.begin != std::string::npos;
       place = next_place(value, done)) {
    const auto name = value.substr(place.begin, place.end - place.begin);
    replaced += value.substr(done, place.begin - done);
    if (name == "{hostname}") {
      replaced += host;
    } else if (name == "{ordinal}") {
      const auto ordinal = ordinal_of(host);
      if (!ordinal) return no_ordinal(host);
      replaced += std::to_string(std::uint64_t{*ordinal} + first);
    } else {
      return Problem{.message = "contains the unknown placeholder " + quote(name),
                     .hint = "expected {hostname} or {ordinal}"};
    }
    done = place.end;
  }
  value = replaced + value.substr(done);
  return std::nullopt;
}

}  // namespace

std::string this_host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

std::optional<std::uint32_t> ordinal_of(const std::string& host) {
  const auto label = std::string_view(host).substr(0, host.find('.'));
  const auto dash = label.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return parse_number<std::uint32_t>(label.substr(dash + 1));
}

Problem no_ordinal(const std::string& host) {
  return {.message = "needs the host's ordinal, but the host name " + quote(host) +
                     " does not end in '-' and a number",
          .hint =
              "use a host name such as \"jobs-bridge-0\", as the pods of a StatefulSet have, or a "
              "value that does not need the ordinal"};
}

void fill_in_host(Review& review, const std::vector<Section>& sections, const std::string& host) {
  for (const auto& section : sections) {
    for (const auto& key : section.keys) {
      if (!key.type.host_placeholders) continue;
      const std::uint32_t first = key.path == "broker.partition" ? 1 : 0;
      review.change(key.path,
                    [&](std::string& value) { return replace_placeholders(value, host, first); });
    }
  }
}

}  // namespace jobs_bridge::config
