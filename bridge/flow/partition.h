#pragma once

#include <cstdint>
#include <string_view>

namespace jobs_bridge {

/// Which things an instance serves when several share one broker: instance `index` of `count`
/// serves the things whose name hashes to it. Every instance must be given the same count. The
/// hash is FNV-1a of 64 bits over the name's bytes, modulo the count, so that every build on every
/// machine, and a script, agrees on it.
struct Partition {
  std::uint32_t index = 1;  ///< 1 to count
  std::uint32_t count = 1;

  [[nodiscard]] bool serves(std::string_view thing) const {
    if (count == 1) return true;
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : thing) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 0x100000001b3U;
    }
    return hash % count == index - 1;
  }
};

}  // namespace jobs_bridge
