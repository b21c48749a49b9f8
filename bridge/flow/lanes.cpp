#include "bridge/flow/lanes.h"

#include <algorithm>

namespace jobs_bridge {

void Lanes::add(std::string_view thing, RequestId request) {
  ++waiting_;
  if (const auto found = by_thing_.find(thing); found != by_thing_.end()) {
    found->second->waiting.push_back(request);
    return;
  }
  ready_.push_back({.thing = std::string(thing), .waiting = {request}, .busy = false});
  const auto lane = std::prev(ready_.end());
  by_thing_.emplace(lane->thing, lane);
}

std::optional<RequestId> Lanes::start() {
  if (ready_.empty()) return std::nullopt;
  const auto lane = ready_.begin();
  const auto request = lane->waiting.front();
  lane->waiting.erase(lane->waiting.begin());
  lane->busy = true;
  others_.splice(others_.end(), ready_, lane);
  --waiting_;
  return request;
}

void Lanes::finish(std::string_view thing) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return;
  const auto lane = found->second;
  lane->busy = false;
  if (lane->waiting.empty()) {
    by_thing_.erase(found);
    others_.erase(lane);
  } else {
    ready_.splice(ready_.end(), others_, lane);
  }
}

void Lanes::remove(std::string_view thing, RequestId request) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return;
  const auto lane = found->second;
  waiting_ -= std::erase(lane->waiting, request);
  if (!lane->busy && lane->waiting.empty()) {
    by_thing_.erase(found);
    ready_.erase(lane);
  }
}

std::size_t Lanes::waiting(std::string_view thing) const {
  const auto found = by_thing_.find(thing);
  return found == by_thing_.end() ? 0 : found->second->waiting.size();
}

}  // namespace jobs_bridge
