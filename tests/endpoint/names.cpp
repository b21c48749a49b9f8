#include "tests/endpoint/names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "tests/endpoint/service_error.h"

namespace jobs_endpoint {
namespace {

bool is_word_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_' || character == '-';
}

void require(bool valid, const char* member, std::string_view text, std::size_t longest,
             const char* pattern) {
  if (valid) return;
  if (text.empty()) {
    throw constraint_violation(member, "", "Member must have length greater than or equal to 1");
  }
  if (text.size() > longest) {
    throw constraint_violation(
        member, std::string(text),
        "Member must have length less than or equal to " + std::to_string(longest));
  }
  throw constraint_violation(
      member, std::string(text),
      std::string("Member must satisfy regular expression pattern: ") + pattern);
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode 15, general categories Cc, Cf, Cs, Co, and the noncharacters of Cn (those at the end of
// each plane are found by arithmetic).
constexpr std::array<Range, 25> invisible = {{
    {0x0000, 0x001F},    {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x0600, 0x0605},
    {0x061C, 0x061C},    {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},
    {0x08E2, 0x08E2},    {0x180E, 0x180E},   {0x200B, 0x200F},   {0x202A, 0x202E},
    {0x2060, 0x2064},    {0x2066, 0x206F},   {0xD800, 0xF8FF},   {0xFDD0, 0xFDEF},
    {0xFEFF, 0xFEFF},    {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD},
    {0x13430, 0x1343F},  {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0001, 0xE007F},
    {0xF0000, 0x10FFFF},
}};

bool is_invisible(std::uint32_t code_point) {
  if ((code_point & 0xFFFEU) == 0xFFFEU) return true;
  return std::any_of(invisible.begin(), invisible.end(), [code_point](const Range& range) {
    return code_point >= range.first && code_point <= range.last;
  });
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::vector<std::string_view> split(std::string_view text, char separator, std::size_t most) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const std::size_t end = text.find(separator);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

}  // namespace

bool is_thing_name(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::all_of(text.begin(), text.end(), [](char character) {
           return character == ':' || is_word_character(character);
         });
}

bool is_job_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), is_word_character);
}

void require_thing_name(std::string_view text) {
  require(is_thing_name(text), "thingName", text, 128, "[a-zA-Z0-9:_-]+");
}

void require_job_id(std::string_view text) {
  require(is_job_id(text), "jobId", text, 64, "[a-zA-Z0-9_-]+");
}

std::optional<std::string> thing_of_arn(std::string_view arn) {
  // A thing's name may hold colons itself, so the last part is all that follows the fifth.
  const std::vector<std::string_view> parts = split(arn, ':', 6);
  constexpr std::string_view prefix = "thing/";
  if (parts.size() != 6 || parts[0] != "arn" || parts[1].empty() || parts[2] != "iot" ||
      parts[5].substr(0, prefix.size()) != prefix) {
    return std::nullopt;
  }
  const std::string_view name = parts[5].substr(prefix.size());
  if (!is_thing_name(name)) return std::nullopt;
  return std::string(name);
}

std::string job_arn_beside(std::string_view thing_arn, std::string_view job_id) {
  const std::size_t resource = thing_arn.find(":thing/");
  return std::string(thing_arn.substr(0, resource)).append(":job/").append(job_id);
}

std::string thing_arn_beside(std::string_view job_arn, std::string_view thing) {
  const std::size_t resource = job_arn.rfind(":job/");
  return std::string(job_arn.substr(0, resource)).append(":thing/").append(thing);
}

std::string thing_arn(std::string_view thing) {
  return std::string("arn:aws:iot:us-east-1:000000000000:thing/").append(thing);
}

std::size_t character_count(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char byte) { return !is_continuation(byte); }));
}

bool has_only_visible_characters(std::string_view utf8) {
  for (std::size_t at = 0; at < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[at++]);
    std::uint32_t code_point = lead < 0x80U   ? lead
                               : lead < 0xE0U ? lead & 0x1FU
                               : lead < 0xF0U ? lead & 0x0FU
                                              : lead & 0x07U;
    while (at < utf8.size() && is_continuation(utf8[at])) {
      code_point = (code_point << 6U) | (static_cast<unsigned char>(utf8[at++]) & 0x3FU);
    }
    if (is_invisible(code_point)) return false;
  }
  return true;
}

}  // namespace jobs_endpoint
