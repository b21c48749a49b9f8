#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Names and addresses of hosts, as text. An IPv6 address stands in brackets where a port may
/// follow, and nowhere else.
namespace jobs_bridge::net {

bool is_ipv4(std::string_view host);
bool is_ipv6(std::string_view host);

/// Whether `host` is an IPv4 or IPv6 address: it needs no lookup, and certificates contain it as an
/// address.
bool is_address(std::string_view host);

/// An address in 127.0.0.0/8, or ::1: they never leave this machine.
bool is_loopback_address(std::string_view host);

struct SplitHost {
  std::string_view host;
  std::string_view rest;  ///< ":port", in whatever form; empty: none
};
/// Takes the host from the beginning of `host`, `host:port`, `[ipv6]` or `[ipv6]:port`, whatever it
/// is. Nothing if there is a '[' without a ']'.
std::optional<SplitHost> split_host(std::string_view text);

/// `host:port`.
std::string host_and_port(std::string_view host, unsigned port);

/// The value of a Host header: with the port only if it is not that of https:// (`tls`) or http://.
/// It is part of what is signed. The final dot of a complete name is only for the resolver; servers
/// use their name without it.
std::string host_header(std::string_view host, std::uint16_t port, bool tls);

}  // namespace jobs_bridge::net
