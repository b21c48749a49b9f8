#include "bridge/jobs/status_details.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

bool is_converted(std::string_view value) {
  return !json_text::is_string(value) && !json_text::is_object(value) &&
         !json_text::is_array(value);
}

/// Of pairs with the same name the last counts, even if it is dropped: an earlier value must not
/// take its place.
void keep_last_of_each_name(std::vector<json_text::Member>& pairs) {
  std::unordered_set<std::string> names;
  std::vector<json_text::Member> kept;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    std::string storage;
    if (names.emplace(json_text::decode(pair->key, storage).value_or(pair->key)).second) {
      kept.push_back(*pair);
    }
  }
  std::ranges::reverse(kept);
  pairs = std::move(kept);
}

}  // namespace

std::optional<std::string> read_status_details(std::string_view value) {
  if (!json_text::is_object(value)) return std::nullopt;
  auto pairs = json_text::members_of(value);
  if (!pairs) return std::nullopt;
  const auto is_for_us = [](const json_text::Member& pair) { return is_converted(pair.value); };
  if (std::ranges::none_of(*pairs, is_for_us)) return std::string(value);
  keep_last_of_each_name(*pairs);
  json_text::ObjectWriter details(value.size());
  for (const auto& pair : *pairs) {
    if (json_text::is_null(pair.value)) continue;
    if (is_converted(pair.value)) {
      details.member(pair.key, '"' + std::string(pair.value) + '"');
    } else {
      details.member(pair.key, pair.value);
    }
  }
  return std::move(details).object();
}

}  // namespace jobs_bridge
