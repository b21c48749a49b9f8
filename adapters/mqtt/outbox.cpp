#include "adapters/mqtt/outbox.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

constexpr int suspicions_to_send_alone = 2;
constexpr int suspicions_to_give_up = 5;

std::size_t size_of(const Publication& publication) {
  return publication.topic.size() + publication.payload.size() +
         publication.correlation_data.size() + publication.content_type.size();
}

/// The round of what was unacknowledged: before all others.
constexpr std::uint64_t before_all = 0;

}  // namespace

std::size_t Outbox::push(Publication publication) {
  const auto size = size_of(publication);
  const auto& thing = things_[publication.thing];
  const auto round = thing.waiting > 0 ? std::max(thing.last_round + 1, round_) : round_;
  waiting_.push_back({next_sequence_, std::move(publication), {}});
  give_turn(std::prev(waiting_.end()), turns_.upper_bound(round), round);
  if (++next_sequence_ == nobody) ++next_sequence_;
  bytes_ += size;
  std::size_t dropped = 0;
  while (waiting_.size() > 1 && (waiting_.size() + unacknowledged_.size() > limits_.publications ||
                                 bytes_ > limits_.bytes)) {
    const auto oldest = take(waiting_.begin());
    bytes_ -= size_of(oldest.publication);
    clear_if_suspect(oldest.sequence);
    ++dropped;
  }
  return dropped;
}

std::optional<Outbox::Entry> Outbox::next() {
  const auto window = suspicions_ >= suspicions_to_send_alone ? 1 : window_;
  if (waiting_.empty() || unacknowledged_.size() >= window) return std::nullopt;
  const auto turn = turns_.begin();
  const auto round = turn->first;
  round_ = std::max(round_, round);
  auto first = take(turn->second);
  const auto place =
      unacknowledged_.emplace(first.sequence, Sent{std::move(first.publication), round}).first;
  return Entry{place->first, place->second.publication};
}

bool Outbox::done(Sequence sequence) {
  const auto found = unacknowledged_.find(sequence);
  if (found == unacknowledged_.end()) return false;
  bytes_ -= size_of(found->second.publication);
  unacknowledged_.erase(found);
  clear_if_suspect(sequence);
  return true;
}

const Publication* Outbox::find(Sequence sequence) const {
  const auto found = unacknowledged_.find(sequence);
  return found == unacknowledged_.end() ? nullptr : &found->second.publication;
}

void Outbox::take_back(Sequence sequence) {
  auto found = unacknowledged_.extract(sequence);
  if (!found) return;
  auto place = waiting_.begin();
  while (place != waiting_.end() && Older{}(place->sequence, sequence)) ++place;
  auto& [publication, round] = found.mapped();
  // It was the first of its round.
  give_turn(waiting_.insert(place, {sequence, std::move(publication), {}}),
            turns_.lower_bound(round), round);
}

std::optional<Publication> Outbox::take_back_all() {
  if (unacknowledged_.empty()) return std::nullopt;
  const auto first = first_sent();
  suspicions_ = first->first == suspect_ ? suspicions_ + 1 : 1;
  suspect_ = first->first;
  std::optional<Publication> given_up;
  if (suspicions_ >= suspicions_to_give_up) {
    clear_if_suspect(first->first);
    bytes_ -= size_of(first->second.publication);
    given_up = std::move(first->second.publication);
    unacknowledged_.erase(first);
  }
  Places again;
  for (auto entry = unacknowledged_.rbegin(); entry != unacknowledged_.rend(); ++entry) {
    again.push_front({entry->first, std::move(entry->second.publication), {}});
    give_turn(again.begin(), turns_.begin(), before_all);
  }
  waiting_.merge(again, Older{});
  unacknowledged_.clear();
  return given_up;
}

Outbox::Waiting Outbox::take(Places::iterator place) {
  const auto thing = things_.find(place->publication.thing);
  if (--thing->second.waiting == 0) things_.erase(thing);
  turns_.erase(place->turn);
  auto waiting = std::move(*place);
  waiting_.erase(place);
  return waiting;
}

void Outbox::give_turn(Places::iterator place, Turns::iterator before, std::uint64_t round) {
  auto& thing = things_[place->publication.thing];
  thing.last_round = std::max(thing.last_round, round);
  ++thing.waiting;
  place->turn = turns_.emplace_hint(before, round, place);
}

void Outbox::clear_if_suspect(Sequence gone) {
  if (gone == suspect_) suspicions_ = 0;
}

Outbox::SentOnes::iterator Outbox::first_sent() {
  return std::min_element(
      unacknowledged_.begin(), unacknowledged_.end(),
      [](const auto& left, const auto& right) { return left.second.round < right.second.round; });
}

}  // namespace jobs_bridge::mqtt
