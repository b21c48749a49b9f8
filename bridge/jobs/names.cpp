#include "bridge/jobs/names.h"

#include <algorithm>
#include <cstddef>

#include "bridge/text/ascii.h"

namespace jobs_bridge {
namespace {

constexpr std::size_t max_thing_name = 128;
constexpr std::size_t max_job_name = 256;

bool is_word_or_colon(char c) {
  return is_letter_or_digit(c) || c == '_' || c == '-' || c == ':';
}

bool fits_a_level(char c) {
  return !is_control(c) && c != '/' && c != '+' && c != '#';
}

bool consists_of(std::string_view text, std::size_t longest, bool (*allowed)(char)) {
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, allowed);
}

}  // namespace

std::optional<ThingName> ThingName::parse(std::string_view text) {
  if (!consists_of(text, max_thing_name, is_word_or_colon)) return std::nullopt;
  return ThingName(std::string(text));
}

std::optional<JobName> JobName::parse(std::string_view text) {
  // A server would interpret these two as dot segments of the path, escaped or not.
  if (text == "." || text == "..") return std::nullopt;
  if (!consists_of(text, max_job_name, fits_a_level)) return std::nullopt;
  return JobName(std::string(text));
}

}  // namespace jobs_bridge
