#pragma once

#include <string>

namespace jobs_bridge::store {

/// Where the file really is, also after a change of the working directory or of a link.
std::string canonical_path(const std::string& path);

}  // namespace jobs_bridge::store
