#pragma once

#include <cstdint>
#include <string>
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

/// Which things an instance serves when several share one broker. All things are in `count`
/// buckets, a thing in bucket name_hash() modulo the count, plus 1; the instance serves those in
/// the buckets `first` to `last`. Every instance must be given the same count: with one bucket per
/// instance, changing the number of instances moves nearly all things; with 1,000 buckets, of which
/// each instance has a range, only the things in reassigned buckets move.
struct Partition {
  std::uint32_t first = 1;  ///< 1 to last
  std::uint32_t last = 1;   ///< at most count
  std::uint32_t count = 1;

  /// One bucket: the `index`th of `count` parts.
  static constexpr Partition part(std::uint32_t index, std::uint32_t count) {
    return {.first = index, .last = index, .count = count};
  }

  [[nodiscard]] bool serves_all() const { return last - first + 1 == count; }
  [[nodiscard]] bool serves(std::string_view thing) const {
    if (serves_all()) return true;
    const auto bucket = name_hash(thing) % count + 1;
    return first <= bucket && bucket <= last;
  }
};

/// `2/3`, or `1-250/1000`.
inline std::string to_string(const Partition& partition) {
  auto text = std::to_string(partition.first);
  if (partition.last != partition.first) text += "-" + std::to_string(partition.last);
  return text + "/" + std::to_string(partition.count);
}

}  // namespace jobs_bridge
