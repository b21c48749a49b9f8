#include "adapters/admin/access.h"

#include <cstddef>
#include <string>

#include "adapters/net/address.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::admin {
namespace {

constexpr std::size_t min_token = 16;

}  // namespace

bool names_loopback(std::string_view host_header) {
  const auto split = net::split_host(host_header);
  if (!split) return false;
  const auto host = lower_case(split->host);
  // RFC 6761, 6.3.
  const bool local_name = host == "localhost" || host.ends_with(".localhost");
  return local_name || net::is_loopback_address(host);
}

bool shows_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view scheme = "bearer ";
  if (!equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return false;
  auto shown = authorization.substr(scheme.size());
  while (shown.starts_with(' ')) shown.remove_prefix(1);
  if (shown.size() != token.size()) return false;
  unsigned difference = 0;
  for (std::size_t index = 0; index < token.size(); ++index) {
    difference |= static_cast<unsigned char>(shown[index]) ^
                  static_cast<unsigned>(static_cast<unsigned char>(token[index]));
  }
  return difference == 0;
}

bool is_token(std::string_view text) {
  return text.size() >= min_token && is_visible(text);
}

}  // namespace jobs_bridge::admin
