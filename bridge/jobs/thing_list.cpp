#include "bridge/jobs/thing_list.h"

#include <algorithm>
#include <cstddef>

#include "bridge/jobs/names.h"

namespace jobs_bridge {
namespace {

constexpr char wildcard = '*';

/// In steps of at most pattern times text: only the last wildcard is ever tried again.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t retry_pattern = std::string_view::npos;
  std::size_t retry_text = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == wildcard) {
      retry_pattern = ++in_pattern;
      retry_text = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[at]) {
      ++in_pattern;
      ++at;
    } else if (retry_pattern != std::string_view::npos) {
      in_pattern = retry_pattern;
      at = ++retry_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of(wildcard, in_pattern) == std::string_view::npos;
}

}  // namespace

ThingList::ThingList(const std::vector<std::string>& elements) {
  for (const auto& element : elements) {
    if (element.find(wildcard) == std::string::npos) {
      names_.insert(element);
    } else if (is_valid(element)) {
      patterns_.push_back(element);
    }
  }
}

bool ThingList::contains(std::string_view thing) const {
  if (names_.find(thing) != names_.end()) return true;
  return std::ranges::any_of(patterns_,
                             [&](const auto& pattern) { return matches(pattern, thing); });
}

bool ThingList::is_valid(std::string_view element) {
  std::string name(element);
  std::ranges::replace(name, wildcard, '-');
  return ThingName::parse(name).has_value();
}

}  // namespace jobs_bridge
