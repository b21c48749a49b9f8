#pragma once

#include <string>
#include <string_view>

namespace jobs_bridge {

/// Appends `text` with all but the unreserved characters of RFC 3986 as %XX, in capitals: as the
/// AWS SDKs write names and values into a target, and as Signature Version 4 demands.
void append_percent_encoded(std::string& to, std::string_view text);

/// With the byte that it stands for in place of each escape. A '%' that begins no escape stands for
/// itself.
std::string percent_decoded(std::string_view text);

}  // namespace jobs_bridge
