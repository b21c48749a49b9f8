#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge {

/// Why `value`, a valid JSON value, cannot be the statusDetails of an execution, or nothing if it
/// can: an object of at most 10 pairs, keys like thing names, values strings of 1 to 1024
/// characters without control characters (AWS IoT data model, DetailsMap). Of Unicode's category C
/// only control characters and lone surrogates are looked for; the endpoint judges the rest.
std::optional<std::string> status_details_fault(std::string_view value);

}  // namespace jobs_bridge
