#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/config/setting.h"

namespace jobs_bridge::config {

/// The settings in a TOML file. Unknown sections and keys and values of the wrong type are faults.
Reading read_toml_file(const std::string& path);

/// The content of a quoted TOML string; nothing if `text` is not one.
std::optional<std::string> unquote_toml(const std::string& text);
/// The strings in a TOML array; nothing if `text` is not an array of strings.
std::optional<std::vector<std::string>> strings_in_toml(const std::string& text);

}  // namespace jobs_bridge::config
