#include "adapters/config/url.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/net/address.h"
#include "bridge/text/ascii.h"
#include "bridge/text/hex.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::config {
namespace {

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

/// One that ends in a dot is complete: the resolver adds no domain of its own.
bool is_dns_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  std::string_view label;
  while (true) {
    const auto dot = text.find('.');
    label = text.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  // "192.0.2.300" is a mistyped address, not a name.
  return !std::all_of(label.begin(), label.end(), is_digit);
}

std::uint16_t default_port(std::string_view scheme) {
  if (scheme == "mqtt") return 1883;
  if (scheme == "mqtts") return 8883;
  return scheme == "https" ? 443 : 80;
}

struct HostAndPort {
  std::string host;
  std::optional<std::string_view> port;
};

/// `text` is `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
Result<HostAndPort, std::string> split_port(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const auto split = net::split_host(text);
  if (!split) return Failure{std::string("has a '[' without a ']'")};
  const auto [host, rest] = *split;
  if (!bracketed && rest.find(':', rest.empty() ? 0 : 1) != std::string_view::npos) {
    return Failure{std::string("has more than one ':' (an IPv6 address must be in [])")};
  }
  if (bracketed ? !net::is_ipv6(host) : !is_host(host)) {
    return Failure{std::string(host.empty() ? "has no host"
                                            : "has a host that is neither a DNS name nor an IP "
                                              "address")};
  }
  HostAndPort result{.host = lower_case(host), .port = {}};
  if (rest.empty()) return result;
  if (!rest.starts_with(':'))
    return Failure{std::string("has unexpected text between ']' and the port")};
  result.port = rest.substr(1);
  return result;
}

/// What stands before the '@' (RFC 3986, section 3.2.1), where ':' would begin a password.
Result<std::string, std::string> parse_user(std::string_view text) {
  constexpr std::string_view plain = "-_.~!$&'()*+,;=";
  std::string user;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_letter_or_digit(c) || plain.find(c) != std::string_view::npos) {
      user += c;
      continue;
    }
    const int high = c == '%' && i + 2 < text.size() ? hex_digit_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit_value(text[i + 2]) : -1;
    const int code = high * 16 + low;
    // Basic authentication ends the user with a colon (RFC 7617, section 2).
    if (low < 0 || is_control(static_cast<char>(code)) || code == ':') {
      return Failure{
          std::string("contains a password, or a user name with a character that must be written "
                      "as its percent code (%40 for '@', %5C for '\\', %25 for '%')")};
    }
    user += static_cast<char>(code);
    i += 2;
  }
  if (user.empty()) return Failure{std::string("has an '@' without a user name before it")};
  return user;
}

std::string alternatives(std::initializer_list<std::string_view> schemes) {
  std::string text;
  for (const auto scheme : schemes) {
    text.append(text.empty() ? "" : " or ").append(scheme).append("://");
  }
  return text;
}

}  // namespace

bool is_host(std::string_view text) {
  return net::is_address(text) || is_dns_name(text);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || net::is_loopback_address(host);
}

Result<Url, std::string> parse_url(std::string_view text,
                                   std::initializer_list<std::string_view> schemes,
                                   bool allow_username) {
  const auto fault = [](std::string what) { return Failure{std::move(what)}; };
  Url url;
  const auto colon = text.find("://");
  if (colon != std::string_view::npos) url.scheme = lower_case(text.substr(0, colon));
  if (std::find(schemes.begin(), schemes.end(), url.scheme) == schemes.end()) {
    return fault("does not start with " + alternatives(schemes));
  }
  auto rest = text.substr(colon + 3);
  // Before anything else is looked at: a password may hold every other separator.
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const auto user = rest.substr(0, at);
    if (!allow_username) return fault("contains a user name or a password");
    auto name = parse_user(user);
    if (!name) return Failure{name.error()};
    url.username = *std::move(name);
    rest.remove_prefix(at + 1);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    return fault("has a path, a query or a fragment");
  }
  auto parts = split_port(rest);
  if (!parts) return Failure{parts.error()};
  url.host = parts->host;
  url.port = default_port(url.scheme);
  if (parts->port) {
    const auto port = parse_number<std::uint16_t>(*parts->port);
    if (!port || *port == 0) return fault("has a port that is not between 1 and 65535");
    url.port = *port;
  }
  return url;
}

Result<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  auto parts = split_port(text);
  if (!parts) return Failure{parts.error()};
  if (!parts->port) return Failure{std::string("has no port")};
  const auto port = parse_number<std::uint16_t>(*parts->port);
  if (!port) return Failure{std::string("has a port that is not between 0 and 65535")};
  return ListenAddress{.host = parts->host, .port = *port};
}

std::string address_of(const Url& url) {
  return url.scheme + "://" + net::host_and_port(url.host, url.port);
}

}  // namespace jobs_bridge::config
