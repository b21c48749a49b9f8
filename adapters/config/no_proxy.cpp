#include "adapters/config/no_proxy.h"

#include <algorithm>

namespace jobs_bridge::config {
namespace {

bool same_letter(char a, char b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return small(a) == small(b);
}

bool matches(std::string_view host, std::string_view pattern) {
  if (pattern == "*") return true;
  if (pattern.starts_with("*.")) pattern.remove_prefix(2);
  if (pattern.starts_with('.')) pattern.remove_prefix(1);
  if (host.size() < pattern.size()) return false;
  const auto end = host.substr(host.size() - pattern.size());
  if (!std::ranges::equal(end, pattern, same_letter)) return false;
  return host.size() == pattern.size() || host[host.size() - pattern.size() - 1] == '.';
}

}  // namespace

bool is_exempt(std::string_view host, const std::vector<std::string>& patterns) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return std::ranges::any_of(patterns,
                             [&](const std::string& pattern) { return matches(host, pattern); });
}

}  // namespace jobs_bridge::config
