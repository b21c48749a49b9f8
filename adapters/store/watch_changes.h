#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ports/watch_store.h"

namespace jobs_bridge::store {

/// Pending changes of watched things: only the latest for each thing.
class Changes {
 public:
  struct Row {
    std::int64_t asked = 0;
    std::string told;
  };
  /// By thing, in the order of the file, which costs fewer pages; no value: the thing is to be
  /// removed.
  using Map = std::map<std::string, std::optional<Row>>;

  /// Changes are bounded by the number of things, but if things come and go while the file cannot
  /// be written, the number of things to remove is not. Beyond this many, further ones are left in
  /// the file: the core removes them after a restart, since they have been inactive for too long.
  static constexpr std::size_t max_forgotten = 100'000;

  void change(WatchedThing thing);
  void forget(std::string thing);
  /// Adds changes that are older than those already here.
  void add_older(Map older);
  void add_older(std::vector<WatchedThing> older);

  /// Returns all changes and clears them.
  [[nodiscard]] Map take();

  [[nodiscard]] bool empty() const { return map_.empty(); }
  [[nodiscard]] std::size_t size() const { return map_.size(); }

 private:
  Map map_;
  std::size_t forgotten_ = 0;  ///< how many in the map are to be removed
};

}  // namespace jobs_bridge::store
