#include "bridge/jobs/names.h"

#include <algorithm>
#include <cstddef>

namespace jobs_bridge {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool is_word_or_colon(char c) {
  return is_word(c) || c == ':';
}

bool consists_of(std::string_view text, std::size_t longest, bool (*allowed)(char)) {
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, allowed);
}

}  // namespace

std::optional<ThingName> ThingName::parse(std::string_view text) {
  if (!consists_of(text, 128, is_word_or_colon)) return std::nullopt;
  return ThingName(std::string(text));
}

std::optional<JobName> JobName::parse(std::string_view text) {
  if (text != "$next" && !consists_of(text, 64, is_word)) return std::nullopt;
  return JobName(std::string(text));
}

bool is_status_details_key(std::string_view key) {
  return consists_of(key, 128, is_word_or_colon);
}

}  // namespace jobs_bridge
