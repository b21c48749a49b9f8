#pragma once

#include <optional>
#include <string>

#include "adapters/config/setting.h"

namespace jobs_bridge::config {

/// The settings in a TOML file. Unknown sections and keys and values of the wrong type are faults.
Reading read_toml_file(const std::string& path);

/// What a quoted TOML string holds; nothing if `text` is none.
std::optional<std::string> unquote_toml(const std::string& text);

}  // namespace jobs_bridge::config
