#include "bridge/flow/request_table.h"

#include <algorithm>
#include <utility>

namespace jobs_bridge {

void RequestTable::add(RequestId id, PendingRequest request, RequestEvent event) {
  const auto [it, inserted] = requests_.emplace(id, std::move(request));
  if (inserted) count(it->second, it->second.askers.front());
  apply(it, event);
}

bool RequestTable::apply(Iterator it, RequestEvent event, MonotonicTime resume) {
  auto& request = it->second;
  const auto from = request.state;
  const auto to = next_state(from, event);
  if (!to) {
    illegal_transitions_.push_back({.request = it->first, .state = from, .event = event});
    return false;
  }
  ++transitions_[static_cast<std::size_t>(from)][static_cast<std::size_t>(event)];
  if (event == RequestEvent::begun) request.expiry.reset();
  if (event == RequestEvent::paused) request.resume = resume;
  if (event == RequestEvent::restored) request.held_askers = 1;
  if (event == RequestEvent::held) {
    if (is_held(from)) lanes_.leave(request.thing(), 1);
    ++request.held_askers;
  }
  if (from != *to) {
    leave_state(it, from, *to);
    enter_state(it, from, *to);
    request.state = *to;
  }
  if (*to == RequestState::absent) {
    unschedule(request);
    requests_.erase(it);
  } else if (*to == RequestState::calling_answered) {
    unschedule(request);
  } else {
    schedule(it);
  }
  return true;
}

void RequestTable::leave_state(Iterator it, RequestState from, RequestState to) {
  const auto& request = it->second;
  const auto id = it->first;
  if (is_held(from) && !is_held(to)) held_.erase(id);
  if (is_calling(from) && !is_calling(to)) --in_flight_;
  if (from == RequestState::pausing) --pausing_;
  if (is_pausing(from) && !is_pausing(to)) pauses_.erase({request.resume, id});
  if (from == RequestState::reconciling) std::erase(reconciling_, id);
  if (to != RequestState::absent) return;
  if (is_queued(from)) {
    lanes_.remove(request.thing(), id);
  } else {
    lanes_.finish(request.thing());
  }
}

void RequestTable::enter_state(Iterator it, RequestState from, RequestState to) {
  const auto& request = it->second;
  const auto id = it->first;
  if (is_held(to) && !is_held(from)) held_.insert(id);
  if (is_calling(to) && !is_calling(from)) ++in_flight_;
  if (to == RequestState::pausing) ++pausing_;
  if (is_pausing(to) && !is_pausing(from)) pauses_.emplace(request.resume, id);
  if (to == RequestState::reconciling) reconciling_.push_back(id);
  if (!is_queued(to)) return;
  const auto kind = request.delivery.quota();
  if (from == RequestState::absent) {
    lanes_.add(request.thing(), id, kind, is_held(to));
  } else if (is_queued(from)) {
    lanes_.hold(request.thing(), id);
  } else {
    lanes_.requeue(request.thing(), kind, is_held(to));
  }
}

void RequestTable::discard(Iterator it) {
  auto& request = it->second;
  const auto id = it->first;
  held_.erase(id);
  std::erase(reconciling_, id);
  if (pauses_.erase({request.resume, id}) > 0 && request.state == RequestState::pausing) --pausing_;
  unschedule(request);
  if (is_calling(request.state)) {
    request.state = RequestState::calling_answered;
    return;
  }
  lanes_.drop(request.thing(), id);
  requests_.erase(it);
}

void RequestTable::join(Iterator it, Asker asker) {
  auto& request = it->second;
  count(request, asker);
  request.askers.push_back(std::move(asker));
  lanes_.join(request.thing());
  schedule(it);
}

Asker RequestTable::remove_first_asker(Iterator it) {
  auto& request = it->second;
  auto asker = std::move(request.askers.front());
  request.askers.erase(request.askers.begin());
  discount(request, asker);
  if (!request.askers.empty()) {
    lanes_.leave(request.thing(), 1);
    schedule(it);
  }
  return asker;
}

std::vector<Asker> RequestTable::remove_askers(PendingRequest& request) {
  // The first one, and those that are held, do not count as joined.
  const auto others = std::max<std::size_t>(request.held_askers, 1);
  lanes_.leave(request.thing(), request.askers.size() - std::min(request.askers.size(), others));
  for (const auto& asker : request.askers) discount(request, asker);
  return std::exchange(request.askers, {});
}

void RequestTable::count(const PendingRequest& request, const Asker& asker) {
  bytes_ += asker.bytes;
  if (!request.must_be_delivered()) return;
  ++updates_;
  update_bytes_ += asker.bytes;
}

void RequestTable::discount(const PendingRequest& request, const Asker& asker) {
  bytes_ -= asker.bytes;
  if (!request.must_be_delivered()) return;
  --updates_;
  update_bytes_ -= asker.bytes;
}

std::size_t RequestTable::bytes(std::string_view thing) const {
  std::size_t sum = 0;
  for (const auto id : lanes_.requests(thing)) {
    for (const auto& asker : find(id)->second.askers) sum += asker.bytes;
  }
  return sum;
}

RequestTable::Iterator RequestTable::last_of(const std::string& thing) {
  const auto last = lanes_.last(thing);
  return last ? requests_.find(*last) : requests_.end();
}

std::optional<RequestId> RequestTable::next_reconciling() const {
  return reconciling_.empty() ? std::nullopt : std::optional(reconciling_.front());
}

void RequestTable::schedule(Iterator it) {
  auto& request = it->second;
  auto due = request.give_up;
  if (request.expiry) {
    due = *request.expiry;
  } else if (request.is_awaited()) {
    due = request.askers[request.held_askers].deadline;
    if (is_queued(request.state) && !request.must_be_delivered()) due -= min_time_for_call_;
  }
  if (request.must_be_delivered()) due = std::min(due, request.give_up);
  if (request.due && (*request.due)->first == due) return;
  // Most are due later than all others: the hint at the end makes the insertion constant-time.
  if (!request.due) {
    request.due = due_.emplace_hint(due_.end(), due, it->first);
    return;
  }
  auto entry = due_.extract(*request.due);
  entry.value().first = due;
  request.due = due_.insert(due_.end(), std::move(entry));
}

void RequestTable::unschedule(PendingRequest& request) {
  if (!request.due) return;
  due_.erase(*request.due);
  request.due.reset();
}

}  // namespace jobs_bridge
