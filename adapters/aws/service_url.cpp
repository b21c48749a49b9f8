#include "adapters/aws/service_url.h"

#include <algorithm>

#include "adapters/net/address.h"
#include "bridge/text/ascii.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::aws {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool read_authority(std::string_view text, Origin& origin) {
  const auto split = net::split_host(text);
  if (!split || split->host.empty()) return false;
  origin.host = split->host;
  auto port = split->rest;
  if (port.empty()) return true;
  if (!take_prefix(port, ":")) return false;
  origin.port = parse_number<std::uint16_t>(port).value_or(0);
  return origin.port != 0;
}

}  // namespace

bool is_target(std::string_view text) {
  return text.starts_with('/') && is_visible(text);
}

std::optional<ServiceUrl> read_service_url(std::string_view text) {
  ServiceUrl url;
  url.origin.tls = text.starts_with("https://");
  url.origin.port = url.origin.tls ? 443 : 80;
  if (!take_prefix(text, "https://") && !take_prefix(text, "http://")) return std::nullopt;
  const auto slash = std::min(text.find('/'), text.size());
  url.target = slash == text.size() ? "/" : std::string(text.substr(slash));
  if (!read_authority(text.substr(0, slash), url.origin) || !is_target(url.target)) {
    return std::nullopt;
  }
  return url;
}

}  // namespace jobs_bridge::aws
