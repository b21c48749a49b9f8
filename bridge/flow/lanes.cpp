#include "bridge/flow/lanes.h"

#include <algorithm>

namespace jobs_bridge {
namespace {

constexpr int turns_in_a_row = 3;

std::size_t index_of(QuotaKind kind) {
  return kind == QuotaKind::writes ? 1 : 0;
}

auto first_of(auto& list, const Lanes::Allowed& allowed) {
  if (!allowed.things) return list.begin();
  return std::ranges::find_if(list, [&](const auto& lane) { return allowed.things(lane.thing); });
}

}  // namespace

Lanes::List& Lanes::list_of(const Lane& lane) {
  if (lane.busy_with) return busy_;
  return ready_[lane.fails_alone ? 1 : 0][index_of(lane.waiting.front().kind)]
               [lane.urgent > 0 ? 1 : 0];
}

void Lanes::move_to_end(List& from, Iterator lane) {
  if (!lane->busy_with && lane->waiting.empty()) {
    if (lane->fails_alone) --failing_alone_;
    by_thing_.erase(lane->thing);
    from.erase(lane);
    return;
  }
  auto& to = list_of(*lane);
  lane->turn = next_turn_++;
  to.splice(to.end(), from, lane);
}

void Lanes::move_if_list_changed(List& from, Iterator lane) {
  if (lane->busy_with || (!lane->waiting.empty() && &list_of(*lane) == &from)) return;
  move_to_end(from, lane);
}

void Lanes::add(std::string_view thing, RequestId request, QuotaKind kind, bool held) {
  const Waiting waiting{.request = request, .kind = kind, .held = held};
  const std::size_t urgent = held ? 0 : 1;
  waiting_ += urgent;
  if (const auto found = by_thing_.find(thing); found != by_thing_.end()) {
    const auto lane = found->second;
    auto& list = list_of(*lane);
    lane->waiting.push_back(waiting);
    lane->urgent += urgent;
    move_if_list_changed(list, lane);
    return;
  }
  List fresh;
  fresh.push_back({.thing = std::string(thing),
                   .waiting = {waiting},
                   .urgent = urgent,
                   .joined = 0,
                   .turn = 0,
                   .busy_with = {},
                   .fails_alone = false});
  const auto lane = fresh.begin();
  by_thing_.emplace(lane->thing, lane);
  move_to_end(fresh, lane);
}

bool Lanes::Precedence::yields(bool first, bool second) {
  if (second && (!first || turns_ >= turns_in_a_row)) {
    turns_ = 0;
    return true;
  }
  if (first) ++turns_;
  return false;
}

std::optional<Lanes::Turn> Lanes::first_turn(const Allowed& allowed, bool failing_alone,
                                             bool urgent) {
  std::optional<Turn> turn;
  if ((failing_alone && !allowed.failing_alone) || (!urgent && !allowed.held)) return turn;
  for (const auto kind : {QuotaKind::reads, QuotaKind::writes}) {
    if (!(kind == QuotaKind::reads ? allowed.reads : allowed.writes)) continue;
    auto& list = ready_[failing_alone ? 1 : 0][index_of(kind)][urgent ? 1 : 0];
    const auto lane = first_of(list, allowed);
    if (lane == list.end()) continue;
    if (!turn || lane->turn < turn->lane->turn) turn = Turn{.list = &list, .lane = lane};
  }
  return turn;
}

std::optional<Lanes::Turn> Lanes::next_turn(const Allowed& allowed) {
  std::array<std::array<std::optional<Turn>, 2>, 2> turns;
  for (const bool failing_alone : {false, true}) {
    for (const bool urgent : {false, true}) {
      turns[failing_alone ? 1 : 0][urgent ? 1 : 0] = first_turn(allowed, failing_alone, urgent);
    }
  }
  const auto waits = [&](std::size_t kind) { return turns[kind][0] || turns[kind][1]; };
  const std::size_t kind = healthy_first_.yields(waits(0), waits(1)) ? 1 : 0;
  const auto& [held, urgent] = turns[kind];
  return urgent_first_[kind].yields(urgent.has_value(), held.has_value()) ? held : urgent;
}

std::optional<RequestId> Lanes::start(const Allowed& allowed) {
  const auto turn = next_turn(allowed);
  if (!turn) return std::nullopt;
  const auto lane = turn->lane;
  const auto first = lane->waiting.front();
  lane->waiting.erase(lane->waiting.begin());
  if (!first.held) {
    --lane->urgent;
    --waiting_;
  }
  lane->busy_with = first.request;
  move_to_end(*turn->list, lane);
  return first.request;
}

void Lanes::finish(std::string_view thing) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end() || !found->second->busy_with) return;
  const auto lane = found->second;
  lane->busy_with.reset();
  move_to_end(busy_, lane);
}

void Lanes::requeue(std::string_view thing, QuotaKind kind, bool held) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end() || !found->second->busy_with) return;
  const auto lane = found->second;
  lane->waiting.insert(lane->waiting.begin(),
                       {.request = *lane->busy_with, .kind = kind, .held = held});
  if (!held) {
    ++lane->urgent;
    ++waiting_;
  }
  lane->busy_with.reset();
  move_to_end(busy_, lane);
}

void Lanes::remove(std::string_view thing, RequestId request) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return;
  const auto lane = found->second;
  const auto at = std::ranges::find(lane->waiting, request, &Waiting::request);
  if (at == lane->waiting.end()) return;
  auto& list = list_of(*lane);
  if (!at->held) {
    --lane->urgent;
    --waiting_;
  }
  lane->waiting.erase(at);
  move_if_list_changed(list, lane);
}

void Lanes::drop(std::string_view thing, RequestId request) {
  const auto found = by_thing_.find(thing);
  if (found != by_thing_.end() && found->second->busy_with == request) {
    finish(thing);
  } else {
    remove(thing, request);
  }
}

void Lanes::hold(std::string_view thing, RequestId request) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return;
  const auto lane = found->second;
  const auto at = std::ranges::find(lane->waiting, request, &Waiting::request);
  if (at == lane->waiting.end() || at->held) return;
  auto& list = list_of(*lane);
  at->held = true;
  --lane->urgent;
  --waiting_;
  move_if_list_changed(list, lane);
}

void Lanes::join(std::string_view thing) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return;
  ++found->second->joined;
  ++waiting_;
}

void Lanes::leave(std::string_view thing, std::size_t count) {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return;
  const auto left = std::min(count, found->second->joined);
  found->second->joined -= left;
  waiting_ -= left;
}

void Lanes::set_fails_alone(std::string_view thing, bool fails_alone) {
  if (!fails_alone && failing_alone_ == 0) return;
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end() || found->second->fails_alone == fails_alone) return;
  const auto lane = found->second;
  auto& list = list_of(*lane);
  lane->fails_alone = fails_alone;
  if (fails_alone) {
    ++failing_alone_;
  } else {
    --failing_alone_;
  }
  move_if_list_changed(list, lane);
}

bool Lanes::fails_alone(std::string_view thing) const {
  if (failing_alone_ == 0) return false;
  const auto found = by_thing_.find(thing);
  return found != by_thing_.end() && found->second->fails_alone;
}

bool Lanes::has_ready(const Allowed& allowed) const {
  const auto has = [&](const List& list) { return first_of(list, allowed) != list.end(); };
  const auto any = [&](const std::array<List, 2>& lists) {
    return has(lists[1]) || (allowed.held && has(lists[0]));
  };
  const auto ready = [&](const Ready& lists) {
    return (allowed.reads && any(lists[0])) || (allowed.writes && any(lists[1]));
  };
  return ready(ready_[0]) || (allowed.failing_alone && ready(ready_[1]));
}

std::size_t Lanes::waiting(std::string_view thing) const {
  const auto found = by_thing_.find(thing);
  return found == by_thing_.end() ? 0 : found->second->urgent + found->second->joined;
}

std::size_t Lanes::length(std::string_view thing) const {
  const auto found = by_thing_.find(thing);
  return found == by_thing_.end() ? 0 : found->second->waiting.size();
}

std::vector<RequestId> Lanes::requests(std::string_view thing) const {
  std::vector<RequestId> requests;
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return requests;
  const auto& lane = *found->second;
  if (lane.busy_with) requests.push_back(*lane.busy_with);
  for (const auto& waiting : lane.waiting) requests.push_back(waiting.request);
  return requests;
}

std::optional<RequestId> Lanes::last(std::string_view thing) const {
  const auto found = by_thing_.find(thing);
  if (found == by_thing_.end()) return std::nullopt;
  const auto& lane = *found->second;
  return lane.waiting.empty() ? lane.busy_with : lane.waiting.back().request;
}

}  // namespace jobs_bridge
