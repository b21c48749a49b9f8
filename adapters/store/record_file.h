#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/store/database.h"
#include "bridge/result.h"

namespace jobs_bridge::store {

/// How a file says that it is ours, and of which version. journal.md and watched_things.md name the values.
struct Format {
  std::string_view application;  ///< application_id, in digits
  int version;                   ///< user_version
  std::string_view table;        ///< the only thing in the schema, as SQLite keeps it
};

/// Makes an empty file if there is none, with mode 0600, which SQLite would leave to the umask. The
/// fault says why there is none that can be read and written: also if it is something else than a
/// database.
std::optional<FileFault> ensure_file(const std::string& path, const Format& format);

enum class Identity { none, ours };
/// Whether the file is empty or of that format; the fault says what else it is: damaged, or
/// unusable if a newer version or another application wrote it.
Result<Identity, FileFault> identify(Database& database, const Format& format);

/// Makes an empty file one of that format.
std::optional<FileFault> begin(Database& database, const Format& format);

}  // namespace jobs_bridge::store
