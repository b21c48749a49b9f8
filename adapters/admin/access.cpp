#include "adapters/admin/access.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <string>

#include "bridge/text/ascii.h"

namespace jobs_bridge::admin {
namespace {

constexpr std::size_t shortest_token = 16;

/// Without the port; an IPv6 address without its brackets. Empty if it is invalid.
std::string_view host_of(std::string_view header) {
  if (header.starts_with('[')) {
    const auto end = header.find(']');
    return end == std::string_view::npos ? std::string_view() : header.substr(1, end - 1);
  }
  return header.substr(0, header.find(':'));
}

}  // namespace

bool names_loopback(std::string_view host_header) {
  const auto host = lower_case(host_of(host_header));
  if (host == "localhost" || host.ends_with(".localhost")) return true;  // RFC 6761, 6.3
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6) != 0;
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
  return text.size() >= shortest_token && is_visible(text);
}

}  // namespace jobs_bridge::admin
