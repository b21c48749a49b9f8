#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/config/key.h"

/// Messages about unknown names, with the name that was probably meant.
namespace jobs_bridge::config {

Problem unknown_section(std::string_view name);
Problem unknown_key(const Section& section, std::string_view name);
/// `path` should have been `section.key`.
Problem unknown_path(std::string_view path);
Problem unknown_environment_name(std::string_view name);

/// The key that was probably meant by a `section.key` that does not exist, or all keys of the
/// section that was meant by the name of one; empty if none is close.
std::vector<std::string> meant_keys(std::string_view path);

}  // namespace jobs_bridge::config
