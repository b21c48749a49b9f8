#include "adapters/config/no_proxy.h"

#include <algorithm>

#include "bridge/text/ascii.h"

namespace jobs_bridge::config {
namespace {

bool matches(std::string_view host, std::string_view pattern) {
  if (pattern == "*") return true;
  if (pattern.starts_with("*.")) pattern.remove_prefix(2);
  if (pattern.starts_with('.')) pattern.remove_prefix(1);
  if (host.size() < pattern.size()) return false;
  const auto end = host.substr(host.size() - pattern.size());
  if (!equal_ignoring_case(end, pattern)) return false;
  return host.size() == pattern.size() || host[host.size() - pattern.size() - 1] == '.';
}

}  // namespace

bool is_exempt(std::string_view host, const std::vector<std::string>& patterns) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return std::ranges::any_of(patterns,
                             [&](const std::string& pattern) { return matches(host, pattern); });
}

}  // namespace jobs_bridge::config
