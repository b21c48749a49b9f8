#pragma once

#include <cstdint>
#include <string_view>

namespace jobs_bridge {

/// FNV-1a of 64 bits over a name's bytes: the same in every build, on every machine and in a
/// script.
constexpr std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

/// Which things an instance serves when several share one broker: instance `index` of `count`
/// serves the things whose name_hash(), modulo the count, is index - 1. Every instance must be
/// given the same count.
struct Partition {
  std::uint32_t index = 1;  ///< 1 to count
  std::uint32_t count = 1;

  [[nodiscard]] bool serves(std::string_view thing) const {
    return count == 1 || name_hash(thing) % count == index - 1;
  }
};

}  // namespace jobs_bridge
