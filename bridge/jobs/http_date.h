#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace jobs_bridge {

/// The moment that an HTTP header such as Date names: `Sun, 06 Nov 1994 08:49:37 GMT`, the only
/// form that senders may still generate (RFC 9110, 5.6.7). Nothing for any other text.
std::optional<std::chrono::sys_seconds> read_http_date(std::string_view text);

}  // namespace jobs_bridge
