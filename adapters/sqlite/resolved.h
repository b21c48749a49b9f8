#pragma once

#include <string>

namespace jobs_bridge::sqlite {

/// Where the file really is, also after a change of the working directory or of a link.
std::string resolved(const std::string& path);

}  // namespace jobs_bridge::sqlite
