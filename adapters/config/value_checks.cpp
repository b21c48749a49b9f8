#include "adapters/config/value_checks.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "adapters/config/keys.h"
#include "adapters/config/quote.h"
#include "adapters/config/region.h"
#include "adapters/config/secret.h"
#include "adapters/config/signing.h"
#include "adapters/files/file.h"

namespace jobs_bridge::config {
namespace {

/// Checks that apply to every string.
std::optional<Problem> check_characters(const std::string& value) {
  if (first_invalid_byte(value) != std::string::npos) {
    return Problem{.message = "is not UTF-8", .hint = "use text in UTF-8"};
  }
  if (has_control_character(value)) {
    return Problem{.message = "contains a control character", .hint = "use printable text"};
  }
  return std::nullopt;
}

/// An element that is in the list already is left out.
void read_list(Review& review, const Key& key, const std::vector<Element>& elements) {
  if (elements.empty() && key.type.kind == ValueKind::text_or_list) {
    review.fault(key.path, "is empty", "expected " + key.type.range);
  }
  std::unordered_set<std::string_view> known;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::string& value = elements[i].value;
    auto problem = check_characters(value);
    if (!problem && !known.insert(value).second) {
      review.warn_of_element(key.path, i, quote(value) + " is given more than once",
                             "give it only once");
      continue;
    }
    if (!problem) problem = key.type.assign(review.configuration, value);
    if (problem) review.fault_of_element(key.path, i, problem->message, problem->hint);
  }
}

/// The default depends on other keys.
std::string endpoint_url(const Review& review, const std::string& written) {
  const auto& region = review.text("endpoint.region");
  if (review.is_given("endpoint.url")) return fill_in_region(written, region);
  return fill_in_region(
      aws_endpoint(region, {.fips = review.text("endpoint.fips") == "true",
                            .dualstack = review.text("endpoint.dualstack") == "true",
                            .mutual_tls = certificate_replaces_signatures(review)}),
      region);
}

/// A secret that is read later; it is checked at the start so that a fault shows early.
void check_secret(Review& review, std::string_view key, const std::string& path,
                  const std::string& what) {
  if (path.empty() || !review.have_no_fault({key})) return;
  if (const auto secret = read_secret(path); !secret) {
    review.fault(key, secret.error(), "expected a file with one line, the " + what);
  }
}

}  // namespace

void read_values(Review& review) {
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      const auto found = review.settings().find(key.path);
      if (found == review.settings().end()) continue;
      // (If a placeholder could not be replaced, that is the fault to report, not the remaining
      // text.)
      if (key.type.host_placeholders && !review.have_no_fault({key.path})) continue;
      if (is_list(key.type.kind)) {
        read_list(review, key, found->second.elements);
        continue;
      }
      std::string value = found->second.value;
      if (key.path == "endpoint.url") value = endpoint_url(review, value);
      auto problem = check_characters(value);
      if (!problem) problem = key.type.assign(review.configuration, value);
      if (problem) review.fault(key.path, problem->message, problem->hint);
    }
  }
}

void check_files(Review& review) {
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      const std::string& path = review.text(key.path);
      if (key.type.file == FileUse::none || path.empty() || !review.have_no_fault({key.path}))
        continue;
      if (const auto why = files::why_unreadable(path)) {
        review.fault(key.path, printable(path) + " " + *why,
                     "expected a file that the bridge can read");
      } else if (key.type.file == FileUse::read_secret && files::is_readable_by_others(path)) {
        review.warn(key.path, printable(path) + " can be read by other users",
                    "restrict its mode to 600, or to 640 with the bridge's group");
      }
    }
  }
  const auto& configuration = review.configuration;
  check_secret(review, "broker.password_file", configuration.broker.password_file, "password");
  check_secret(review, "endpoint.proxy_password_file", configuration.endpoint.proxy_password_file,
               "password");
}

}  // namespace jobs_bridge::config
