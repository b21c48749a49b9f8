#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "bridge/result.h"

namespace jobs_bridge::config {

/// The address of a server. It never contains a path, a query or a password.
struct Url {
  std::string scheme;      ///< lower case
  std::string username;    ///< only where a user is allowed (endpoint.proxy), else empty
  std::string host;        ///< lower case; an IPv6 address without brackets
  std::uint16_t port = 0;  ///< the scheme's default if the text has none

  bool operator==(const Url&) const = default;
};

/// A local address to listen on; port 0 lets the kernel choose.
struct ListenAddress {
  std::string host;  ///< an IPv6 address without brackets
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

/// `scheme://host[:port]`, with at most one trailing '/', and one of the `schemes`. The error does
/// not quote the text, which may contain a password.
Result<Url, std::string> parse_url(std::string_view text,
                                   std::initializer_list<std::string_view> schemes,
                                   bool allow_username = false);

/// `scheme://host:port`, for display: without the user.
std::string address_of(const Url& url);

/// `host:port`, `[::1]:port`.
Result<ListenAddress, std::string> parse_listen_address(std::string_view text);

/// A DNS name, an IPv4 address or an IPv6 address without brackets.
bool is_host(std::string_view text);

/// `localhost`, 127.0.0.0/8 or ::1: addresses that never leave this machine.
bool is_loopback(std::string_view host);

}  // namespace jobs_bridge::config
