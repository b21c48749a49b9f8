#pragma once

#include <string>
#include <system_error>

namespace jobs_bridge::files {

/// The system's text for a value of errno. (strerror() is not for several threads.)
inline std::string system_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace jobs_bridge::files
