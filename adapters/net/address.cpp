#include "adapters/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace jobs_bridge::net {
namespace {

template <typename Address>
std::optional<Address> parse(int family, std::string_view text) {
  Address address{};
  // inet_pton would stop at a NUL.
  const bool whole = text.find('\0') == std::string_view::npos;
  if (!whole || inet_pton(family, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::optional<in_addr> parse_ipv4(std::string_view text) {
  return parse<in_addr>(AF_INET, text);
}

std::optional<in6_addr> parse_ipv6(std::string_view text) {
  return parse<in6_addr>(AF_INET6, text);
}

/// As it stands before a port.
std::string bracketed(std::string_view host) {
  const bool ipv6 = host.find(':') != std::string_view::npos;
  return ipv6 ? "[" + std::string(host) + "]" : std::string(host);
}

}  // namespace

bool is_ipv4(std::string_view host) {
  return parse_ipv4(host).has_value();
}

bool is_ipv6(std::string_view host) {
  return parse_ipv6(host).has_value();
}

bool is_address(std::string_view host) {
  return is_ipv4(host) || is_ipv6(host);
}

bool is_loopback_address(std::string_view host) {
  if (const auto v4 = parse_ipv4(host)) return ntohl(v4->s_addr) >> 24U == 127;
  const auto v6 = parse_ipv6(host);
  return v6 && IN6_IS_ADDR_LOOPBACK(&*v6) != 0;
}

std::optional<SplitHost> split_host(std::string_view text) {
  if (!text.starts_with('[')) {
    const auto colon = std::min(text.find(':'), text.size());
    return SplitHost{.host = text.substr(0, colon), .rest = text.substr(colon)};
  }
  const auto end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  return SplitHost{.host = text.substr(1, end - 1), .rest = text.substr(end + 1)};
}

std::string host_and_port(std::string_view host, unsigned port) {
  return bracketed(host) + ":" + std::to_string(port);
}

std::string host_header(std::string_view host, std::uint16_t port, bool tls) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return port == (tls ? 443 : 80) ? bracketed(host) : host_and_port(host, port);
}

}  // namespace jobs_bridge::net
