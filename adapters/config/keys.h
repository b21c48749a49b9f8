#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/config/key.h"

namespace jobs_bridge::config {

/// All sections and keys, in the order of the reference; they are defined nowhere else. Any thread
/// may call it.
const std::vector<Section>& sections();

/// Null if it does not exist.
const Section* find_section(std::string_view name);
const Key* find_key(std::string_view section, std::string_view name);
/// `path` is `section.key`.
const Key* find_key(std::string_view path);

/// `JOBS_BRIDGE_SECTION_KEY`
std::string environment_name(const Key& key);

}  // namespace jobs_bridge::config
