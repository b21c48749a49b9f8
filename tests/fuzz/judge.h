#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge::fuzz {

/// What nlohmann_json makes of a text, as a judge that shares nothing with the bridge's own
/// reading; nothing if it is no JSON. Where nlohmann_json is stricter or laxer than RFC 8259, this
/// goes by the RFC: half a surrogate pair is allowed and reads as U+FFFD, a number may be beyond a
/// double, and a byte order mark or a NUL, which nlohmann_json takes for the end, is not allowed.
std::optional<nlohmann::json> judged(std::string_view text);

}  // namespace jobs_bridge::fuzz
