#pragma once

#include <cstdint>
#include <string_view>

namespace jobs_bridge::store {

/// What tells a row that is as it was written from one that is not: SQLite checks the structure of
/// a file and not what is in it.
std::int64_t checksum(std::string_view thing, std::int64_t asked, std::string_view told);

}  // namespace jobs_bridge::store
