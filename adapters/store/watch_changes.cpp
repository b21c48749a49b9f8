#include "adapters/store/watch_changes.h"

#include <utility>

namespace jobs_bridge::store {

void Changes::change(WatchedThing thing) {
  Row row{.asked = thing.asked, .told = std::move(thing.told)};
  const auto [at, is_new] = map_.try_emplace(std::move(thing.thing));
  if (!is_new && !at->second) --forgotten_;
  at->second = std::move(row);
}

void Changes::forget(std::string thing) {
  const auto known = map_.find(thing);
  if (known != map_.end() && !known->second) return;
  if (forgotten_ >= max_forgotten) {
    if (known != map_.end()) map_.erase(known);
    return;
  }
  ++forgotten_;
  if (known != map_.end()) {
    known->second.reset();
  } else {
    map_.try_emplace(std::move(thing));
  }
}

void Changes::add_older(Map older) {
  while (!older.empty()) {
    auto node = older.extract(older.begin());
    const bool is_forgotten = !node.mapped();
    if (is_forgotten && forgotten_ >= max_forgotten) continue;
    if (map_.insert(std::move(node)).inserted && is_forgotten) ++forgotten_;
  }
}

void Changes::add_older(std::vector<WatchedThing> older) {
  for (auto& thing : older) {
    map_.try_emplace(std::move(thing.thing),
                     Row{.asked = thing.asked, .told = std::move(thing.told)});
  }
}

Changes::Map Changes::take() {
  forgotten_ = 0;
  return std::exchange(map_, Map());
}

}  // namespace jobs_bridge::store
