#include "adapters/config/value_checks.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "adapters/config/file.h"
#include "adapters/config/keys.h"
#include "adapters/config/quote.h"
#include "adapters/config/region.h"
#include "adapters/config/secret.h"

namespace jobs_bridge::config {
namespace {

/// What no string may be, whatever it means.
std::optional<Problem> check_characters(const std::string& value) {
  if (first_invalid_byte(value) != std::string::npos) {
    return Problem{.message = "is not UTF-8", .remedy = "text in UTF-8"};
  }
  if (has_control_character(value)) {
    return Problem{.message = "holds a control character", .remedy = "printable text"};
  }
  return std::nullopt;
}

/// An element that is in the list already is left out.
void read_list(Review& review, const Key& key, const std::vector<Element>& elements) {
  std::unordered_set<std::string_view> known;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::string& value = elements[i].value;
    auto problem = check_characters(value);
    if (!problem && !known.insert(value).second) {
      review.warn_of_element(key.path, i, quote(value) + " is given more than once",
                             "give it once");
      continue;
    }
    if (!problem) problem = key.type.assign(review.configuration, value);
    if (problem) review.fault_of_element(key.path, i, problem->message, problem->remedy);
  }
}

}  // namespace

void read_values(Review& review) {
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      const auto found = review.settings().find(key.path);
      if (found == review.settings().end()) continue;
      if (key.type.kind == ValueKind::list) {
        read_list(review, key, found->second.elements);
        continue;
      }
      std::string value = found->second.value;
      if (key.path == "endpoint.url") value = place_region(value, review.text("endpoint.region"));
      auto problem = check_characters(value);
      if (!problem) problem = key.type.assign(review.configuration, value);
      if (problem) review.fault(key.path, problem->message, problem->remedy);
    }
  }
}

void check_files(Review& review) {
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      const std::string& path = review.text(key.path);
      if (key.type.file == FileUse::none || path.empty() || !review.is_sound({key.path})) continue;
      if (const auto why = why_unreadable(path)) {
        review.fault(key.path, printable(path) + " " + *why, "a file that can be read");
      } else if (key.type.file == FileUse::read_secret && is_readable_by_others(path)) {
        review.warn(key.path, printable(path) + " can be read by others",
                    "chmod 600, or 640 with the daemon's group");
      }
    }
  }
  if (!review.is_sound({"broker.password_file"})) return;
  const std::string& password_file = review.configuration.broker.password_file;
  if (password_file.empty()) return;
  if (const auto password = read_secret(password_file); !password) {
    review.fault("broker.password_file", password.error(), "a file with one line, the password");
  }
}

}  // namespace jobs_bridge::config
