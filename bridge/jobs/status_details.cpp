#include "bridge/jobs/status_details.h"

#include "bridge/jobs/json_text.h"
#include "bridge/jobs/names.h"

namespace jobs_bridge {
namespace {

constexpr std::size_t most_pairs = 10;
constexpr std::size_t longest_value = 1024;

std::size_t characters_in(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (!continues) ++count;
  }
  return count;
}

/// C0, DEL and C1. In well-formed UTF-8 the C1 characters are exactly 0xC2 0x80 to 0xC2 0x9F.
bool holds_control_character(std::string_view utf8) {
  unsigned char previous = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0)) return true;
    previous = byte;
  }
  return false;
}

}  // namespace

std::optional<std::string> status_details_fault(std::string_view value) {
  if (!json_text::is_object(value)) return "statusDetails must be an object";
  const auto pairs = json_text::members_of(value);
  if (!pairs) return "statusDetails must be an object";
  if (pairs->size() > most_pairs) {
    return "statusDetails has " + std::to_string(pairs->size()) + " pairs; the limit is " +
           std::to_string(most_pairs);
  }
  std::string decoded_key;
  std::string decoded_text;
  for (const auto& pair : *pairs) {
    const auto key = json_text::decode(pair.key, decoded_key);
    if (!key || !is_status_details_key(*key)) {
      return "a key of statusDetails is not " + std::string(ThingName::rule);
    }
    const auto fault = [&](const std::string& what) {
      return "statusDetails." + std::string(*key) + what;
    };
    if (!json_text::is_string(pair.value)) return fault(" must be a string");
    const auto text = json_text::decode(pair.value.substr(1, pair.value.size() - 2), decoded_text);
    if (!text) return fault(" holds half a surrogate pair");
    const auto length = characters_in(*text);
    if (length < 1 || length > longest_value) {
      return fault(" has " + std::to_string(length) + " characters; the limits are 1 and " +
                   std::to_string(longest_value));
    }
    if (holds_control_character(*text)) return fault(" holds a control character");
  }
  return std::nullopt;
}

}  // namespace jobs_bridge
