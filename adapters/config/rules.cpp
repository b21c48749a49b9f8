#include "adapters/config/rules.h"

#include <algorithm>

#include "adapters/config/url.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::config {
namespace {

constexpr std::size_t max_name = 128;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_client_id(std::string_view text) {
  return !text.empty() && text.size() <= max_name;
}

bool is_canary_topic(std::string_view text) {
  return text.empty() ||
         (text.size() <= 256 && std::ranges::all_of(text, is_printable) && text.front() != '$' &&
          text.find_first_of("+#") == std::string_view::npos);
}

bool is_share_group(std::string_view text) {
  return text.size() <= max_name && text.find_first_of("/+#") == std::string_view::npos;
}

bool is_username(std::string_view text) {
  return text.size() <= 1024;
}

bool is_region(std::string_view text) {
  return text.empty() || (text.size() <= 32 && text.front() != '-' && text.back() != '-' &&
                          std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_lower_or_digit(c) || c == '-'; }));
}

bool is_no_proxy_pattern(std::string_view text) {
  if (text == "*") return true;
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.starts_with('.')) text.remove_prefix(1);
  return is_host(text);
}

bool is_profile(std::string_view text) {
  return !text.empty() && text.size() <= max_name && text.find(']') == std::string_view::npos;
}

bool is_role_alias(std::string_view text) {
  return text.size() <= max_name && std::all_of(text.begin(), text.end(), [](char c) {
           return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') ||
                  std::string_view("_=,@-").find(c) != std::string_view::npos;
         });
}

}  // namespace jobs_bridge::config
