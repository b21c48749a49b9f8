#include "adapters/mqtt/outbox.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

/// Two connections that the broker closed, or four that fell silent, which a bad link does too.
constexpr int enough_evidence = 4;

int weight_of(Evidence evidence) {
  switch (evidence) {
    case Evidence::none:
      return 0;
    case Evidence::weak:
      return 1;
    case Evidence::strong:
      return 2;
    case Evidence::certain:
      return enough_evidence;
  }
  return 0;
}

/// The round of what was unacknowledged: before all others.
constexpr std::uint64_t before_all = 0;

}  // namespace

std::size_t Outbox::size_of(const Publication& publication) {
  return publication.topic.size() + publication.payload.size() +
         publication.correlation_data.size() + publication.content_type.size();
}

std::size_t Outbox::push(Publication publication) {
  const auto size = size_of(publication);
  const auto& thing = things_[publication.thing];
  const auto round = thing.waiting > 0 ? std::max(thing.last_round + 1, round_) : round_;
  waiting_.push_back({next_sequence_, {.publication = std::move(publication)}, {}});
  give_turn(std::prev(waiting_.end()), turns_.upper_bound(round), round);
  if (++next_sequence_ == topic_test) next_sequence_ = canary + 1;
  bytes_ += size;
  std::size_t dropped = 0;
  while (waiting_.size() > 1 &&
         (waiting() + unacknowledged_.size() > limits_.publications || bytes_ > limits_.bytes)) {
    drop(take(waiting_.begin()).content);
    ++dropped;
  }
  return dropped;
}

std::size_t Outbox::drop_waiting() {
  const auto dropped = waiting();
  while (!waiting_.empty()) drop(take(waiting_.begin()).content);
  for (auto& [until, postponed] : std::exchange(postponed_, {})) drop(postponed.content);
  return dropped;
}

void Outbox::drop(Sent sent) {
  bytes_ -= size_of(sent.publication);
  unsuspect(sent);
  note_end(sent.publication);
}

std::optional<Outbox::Entry> Outbox::next() {
  const auto window = suspects_ > 0 ? std::min<std::size_t>(window_, 1) : window_;
  if (waiting_.empty() || unacknowledged_.size() >= window) return std::nullopt;
  const auto turn = turns_.begin();
  const auto round = turn->first;
  round_ = std::max(round_, round);
  auto first = take(turn->second);
  first.content.round = round;
  const auto place = unacknowledged_.emplace(first.sequence, std::move(first.content)).first;
  return Entry{place->first, place->second.publication};
}

const Outbox::Sent* Outbox::find(Sequence sequence) const {
  const auto found = unacknowledged_.find(sequence);
  return found == unacknowledged_.end() ? nullptr : &found->second;
}

bool Outbox::done(Sequence sequence) {
  const auto found = unacknowledged_.find(sequence);
  if (found == unacknowledged_.end()) return false;
  bytes_ -= size_of(found->second.publication);
  unsuspect(found->second);
  note_end(found->second.publication);
  unacknowledged_.erase(found);
  return true;
}

void Outbox::take_back(Sequence sequence) {
  auto found = unacknowledged_.extract(sequence);
  if (found) return_to_place(sequence, std::move(found.mapped()));
}

void Outbox::replace(Sequence sequence, Publication publication) {
  auto found = unacknowledged_.extract(sequence);
  if (!found) return;
  auto& sent = found.mapped();
  bytes_ -= size_of(sent.publication);
  bytes_ += size_of(publication);
  unsuspect(sent);
  publication.update = sent.publication.update;
  sent.publication = std::move(publication);
  sent.replacement = true;
  return_to_place(sequence, std::move(sent));
}

void Outbox::postpone(Sequence sequence, MonotonicTime until) {
  auto found = unacknowledged_.extract(sequence);
  if (!found) return;
  auto& sent = found.mapped();
  unsuspect(sent);  // the broker has read it and not ended the connection
  ++sent.refusals;
  postponed_.emplace(until, Postponed{sequence, std::move(sent)});
}

void Outbox::release(MonotonicTime now) {
  while (due() <= now) {
    auto first = postponed_.extract(postponed_.begin());
    auto& [sequence, content] = first.mapped();
    wait_again(sequence, std::move(content), turns_.upper_bound(before_all), before_all);
  }
}

void Outbox::return_to_place(Sequence sequence, Sent content) {
  const auto round = content.round;
  // It was the first of its round.
  wait_again(sequence, std::move(content), turns_.lower_bound(round), round);
}

void Outbox::wait_again(Sequence sequence, Sent content, Turns::iterator before,
                        std::uint64_t round) {
  auto place = waiting_.begin();
  while (place != waiting_.end() && Older{}(place->sequence, sequence)) ++place;
  give_turn(waiting_.insert(place, {sequence, std::move(content), {}}), before, round);
}

std::optional<Outbox::Sequence> Outbox::take_back_all(Evidence evidence) {
  const bool alone = unacknowledged_.size() == 1;
  Unacknowledged cause;
  for (auto entry = unacknowledged_.begin(); entry != unacknowledged_.end(); ++entry) {
    if (!add_evidence(entry->second, alone, evidence)) continue;
    cause.insert(unacknowledged_.extract(entry));
    break;  // it was alone
  }
  Queue again;
  for (auto entry = unacknowledged_.rbegin(); entry != unacknowledged_.rend(); ++entry) {
    again.push_front({entry->first, std::move(entry->second), {}});
    give_turn(again.begin(), turns_.begin(), before_all);
  }
  waiting_.merge(again, Older{});
  unacknowledged_ = std::move(cause);
  if (unacknowledged_.empty()) return std::nullopt;
  return unacknowledged_.begin()->first;
}

/// Returns whether it is the cause.
bool Outbox::add_evidence(Sent& sent, bool alone, Evidence evidence) {
  if (evidence == Evidence::none) return false;
  const bool was_suspect = std::exchange(sent.suspect, true);
  if (!was_suspect) ++suspects_;
  if (alone && (was_suspect || evidence == Evidence::certain)) sent.evidence += weight_of(evidence);
  return sent.evidence >= enough_evidence;
}

void Outbox::note_end(const Publication& publication) {
  if (publication.update != 0) ended_updates_.push_back(publication.update);
}

void Outbox::unsuspect(Sent& sent) {
  if (std::exchange(sent.suspect, false)) --suspects_;
  sent.evidence = 0;
}

Outbox::Waiting Outbox::take(Queue::iterator place) {
  const auto thing = things_.find(place->content.publication.thing);
  if (--thing->second.waiting == 0) things_.erase(thing);
  turns_.erase(place->turn);
  auto waiting = std::move(*place);
  waiting_.erase(place);
  return waiting;
}

void Outbox::give_turn(Queue::iterator place, Turns::iterator before, std::uint64_t round) {
  auto& thing = things_[place->content.publication.thing];
  thing.last_round = std::max(thing.last_round, round);
  ++thing.waiting;
  place->turn = turns_.emplace_hint(before, round, place);
}

}  // namespace jobs_bridge::mqtt
