#pragma once

#include <cstdint>

#include "bridge/ports.h"

namespace jobs_bridge::store {

/// What tells a row that is as it was written from one that is not: SQLite checks the structure of
/// a file and not what is in it.
std::int64_t checksum(const JournalEntry& entry);

}  // namespace jobs_bridge::store
