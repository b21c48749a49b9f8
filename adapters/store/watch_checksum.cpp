#include "adapters/store/watch_checksum.h"

#include <bit>
#include <string>

#include "bridge/flow/partition.h"

namespace jobs_bridge::store {

std::int64_t checksum(std::string_view thing, std::int64_t asked, std::string_view told) {
  // A name holds no NUL, so no two rows are the same text.
  std::string row(thing);
  row.append(1, '\0').append(std::to_string(asked)).append(1, '\0').append(told);
  return std::bit_cast<std::int64_t>(name_hash(row));
}

}  // namespace jobs_bridge::store
