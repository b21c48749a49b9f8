#include "adapters/store/canonical_path.h"

#include <filesystem>
#include <system_error>

namespace jobs_bridge::store {

std::string canonical_path(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return path;
  const auto canonical = std::filesystem::weakly_canonical(absolute, error);
  return error ? path : canonical.string();
}

}  // namespace jobs_bridge::store
