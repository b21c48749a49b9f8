#include "adapters/aws/service_url.h"

#include <algorithm>

#include "bridge/text/ascii.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::aws {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// `host`, `host:port`, `[address]:port`
bool read_authority(std::string_view text, Origin& origin) {
  std::string_view port;
  if (take_prefix(text, "[")) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    port = text.substr(end + 1);
    text = text.substr(0, end);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    port = text.substr(colon);
    text = text.substr(0, colon);
  }
  origin.host = text;
  if (port.empty()) return !text.empty();
  if (!take_prefix(port, ":")) return false;
  origin.port = parse_number<std::uint16_t>(port).value_or(0);
  return !text.empty() && origin.port != 0;
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
