#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/config/configuration.h"
#include "adapters/daemon/finding.h"

namespace jobs_bridge {

/// The stores, and what a check needs to know of them.
struct StoreFile {
  std::string name;  ///< of the section
  std::string key;
  std::string path;
  std::uint64_t room = 0;  ///< bytes that must fit on its disk
  /// Why its format rules out what is there: see store::why_refused().
  std::optional<std::string> (*why_refused)(const std::string& path) = nullptr;
};
/// Those that are configured.
std::vector<StoreFile> stores_of(const config::Configuration& configuration);

/// Whether another process, which must be a bridge, has the file open.
bool is_in_use(const StoreFile& file);

/// What to put in its place, where why_refused() has a reason.
std::string hint_for_refused(const StoreFile& file);

/// Whether this user can write or create the file, and it fits on its disk. Does not create it: a
/// file created by root could not be opened by the service.
/// `check`: the command line that does this check again, for the hint to do so as that user.
Finding check_file(const StoreFile& file, const std::string& check);

}  // namespace jobs_bridge
