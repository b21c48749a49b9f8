#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge {

/// The statusDetails that a device means by `value`, a valid JSON value: an object, JSON text, or
/// nothing if it is not an object. The API has a map of strings (AWS IoT data model, DetailsMap),
/// so a number or a boolean becomes its text, digits unchanged: `12.5` becomes `"12.5"`. A pair
/// whose value is null is left out. An object or a list stays for the endpoint to judge, as do the
/// number of pairs and what their names and values hold. If nothing needs converting, the text is
/// returned unchanged, byte for byte.
std::optional<std::string> read_status_details(std::string_view value);

}  // namespace jobs_bridge
