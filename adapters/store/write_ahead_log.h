#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge::store {

/// What is wrong with a database's log of writes (`-wal`), of which SQLite says nothing: it takes
/// the log to end at the first frame whose checksum does not fit. A write is a transaction.
struct LogDamage {
  std::size_t bits_corrected =
      0;  ///< each the only wrong one in its frame, so the checksum tells it
  /// Writes behind a frame, or in one, that cannot be put right or is missing.
  std::size_t writes_lost = 0;
  /// The log as it was written, up to there; empty if no bit was corrected.
  std::string mended;
};

/// Looks at the log beside a database that nobody has open. Nothing if there is none or it is as it
/// was written. A log that a power cut left incomplete is damaged, too.
std::optional<LogDamage> damage_of_log(const std::string& database_path);

/// Writes a mended log over the one beside a database that nobody has open, and to the disk; needs
/// no space. Cut short, it leaves a log that can be mended in the same way. Why not, if it fails.
std::optional<std::string> overwrite_log(const std::string& database_path, std::string_view log);

}  // namespace jobs_bridge::store
