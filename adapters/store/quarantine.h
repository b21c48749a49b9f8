#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge::store {

/// Renames a database that nobody has open, with the files that SQLite keeps beside it, to the
/// first of `<path>.damaged-1` to `-9` that is free, or the last of them, whose file is replaced:
/// a disk that fails time and again is not filled with them. Returns the new name, or why there is
/// none.
Result<std::string, std::string> quarantine(const std::string& path);

}  // namespace jobs_bridge::store
