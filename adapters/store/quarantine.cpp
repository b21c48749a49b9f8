#include "adapters/store/quarantine.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace jobs_bridge::store {
namespace {

constexpr int most = 9;
/// SQLite finds them by their names: they must keep up with the database's.
constexpr std::array<const char*, 4> companions = {"", "-wal", "-shm", "-journal"};

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() !=
         std::filesystem::file_type::not_found;
}

bool is_free(const std::string& name) {
  return std::none_of(companions.begin(), companions.end(),
                      [&](const char* end) { return exists(name + end); });
}

std::string name_for(const std::string& path) {
  std::string name;
  for (int number = 1; number <= most; ++number) {
    name = path + ".damaged-" + std::to_string(number);
    if (is_free(name)) break;
  }
  return name;
}

}  // namespace

Result<std::string, std::string> quarantine(const std::string& path) {
  const std::string name = name_for(path);
  for (const char* end : companions) {
    std::error_code error;
    std::filesystem::remove(name + end, error);
    if (!exists(path + end)) continue;
    std::filesystem::rename(path + end, name + end, error);
    if (error) {
      return Failure{"cannot be renamed to " + name + end + ": " + error.message()};
    }
  }
  return name;
}

}  // namespace jobs_bridge::store
