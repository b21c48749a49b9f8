#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge::store {

/// Damage to a database's write-ahead log (`-wal`), which SQLite does not report: it assumes that
/// the log ends at the first frame whose checksum does not match. A write here is a transaction.
struct LogDamage {
  std::size_t bits_corrected =
      0;  ///< each the only wrong bit in its frame, so that the checksum locates it
  /// Writes in or after a frame that is missing or cannot be corrected.
  std::size_t writes_lost = 0;
  /// The log as it was written, up to there; empty if no bit was corrected.
  std::string repaired;
};

/// Checks the log beside a database that is not open. Nothing if there is none or it is intact. A
/// log that a power cut left incomplete counts as damaged too.
std::optional<LogDamage> damage_of_log(const std::string& database_path);

/// Overwrites the log beside a database that is not open with a corrected one, cuts off what is
/// behind that (a later correction could take it for a part of the log), and syncs it to the disk;
/// needs no additional space. If interrupted, it leaves a log that can be corrected in the same
/// way. Returns the cause if it fails.
std::optional<std::string> overwrite_log(const std::string& database_path, std::string_view log);

}  // namespace jobs_bridge::store
