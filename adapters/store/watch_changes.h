#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bridge/ports.h"

namespace jobs_bridge::store {

/// What is to be written about watched things: for each thing the latest.
class Changes {
 public:
  struct Row {
    std::int64_t asked = 0;
    std::string told;
  };
  /// By thing, in the order of the file, which costs fewer pages; absent: it is to be forgotten.
  using Map = std::map<std::string, std::optional<Row>>;

  /// Things change as many as there are, but with things that come and go those to forget have no
  /// end while the file cannot be written. Past this many the next are left in the file: the core
  /// forgets them again after a restart, since they asked for nothing for so long.
  static constexpr std::size_t most_forgotten = 100'000;

  void change(WatchedThing thing);
  void forget(std::string thing);
  /// Takes what is older than what is here.
  void add_older(Map older);
  void add_older(std::vector<WatchedThing> older);

  /// Everything; nothing is left.
  [[nodiscard]] Map take();

  [[nodiscard]] bool empty() const { return map_.empty(); }
  [[nodiscard]] std::size_t size() const { return map_.size(); }

 private:
  Map map_;
  std::size_t forgotten_ = 0;  ///< how many in the map are to be forgotten
};

}  // namespace jobs_bridge::store
