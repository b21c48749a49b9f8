#include "adapters/mqtt/outbox.h"

#include <utility>

namespace jobs_bridge::mqtt {
namespace {

std::size_t size_of(const Publication& publication) {
  return publication.topic.size() + publication.payload.size() +
         publication.correlation_data.size();
}

}  // namespace

std::size_t Outbox::push(Publication publication) {
  bytes_ += size_of(publication);
  waiting_.push_back({next_sequence_++, std::move(publication)});
  std::size_t dropped = 0;
  while (waiting_.size() > 1 && (waiting_.size() + unacknowledged_.size() > limits_.publications ||
                                 bytes_ > limits_.bytes)) {
    bytes_ -= size_of(waiting_.front().publication);
    waiting_.pop_front();
    ++dropped;
  }
  return dropped;
}

std::optional<Outbox::Entry> Outbox::next() {
  if (waiting_.empty() || unacknowledged_.size() >= window_) return std::nullopt;
  auto& first = waiting_.front();
  const auto [place, added] = unacknowledged_.emplace(first.sequence, std::move(first.publication));
  waiting_.pop_front();
  return Entry{place->first, place->second};
}

bool Outbox::done(Sequence sequence) {
  const auto found = unacknowledged_.find(sequence);
  if (found == unacknowledged_.end()) return false;
  bytes_ -= size_of(found->second);
  unacknowledged_.erase(found);
  return true;
}

void Outbox::take_back(Sequence sequence) {
  auto found = unacknowledged_.extract(sequence);
  if (!found) return;
  auto place = waiting_.begin();
  while (place != waiting_.end() && place->sequence < sequence) ++place;
  waiting_.insert(place, {sequence, std::move(found.mapped())});
}

void Outbox::take_back_all() {
  for (auto entry = unacknowledged_.rbegin(); entry != unacknowledged_.rend(); ++entry) {
    waiting_.push_front({entry->first, std::move(entry->second)});
  }
  unacknowledged_.clear();
}

}  // namespace jobs_bridge::mqtt
