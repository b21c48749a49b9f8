#include "adapters/mqtt/outbox.h"

#include <utility>

namespace jobs_bridge::mqtt {
namespace {

constexpr int suspicions_to_send_alone = 2;
constexpr int suspicions_to_give_up = 5;

std::size_t size_of(const Publication& publication) {
  return publication.topic.size() + publication.payload.size() +
         publication.correlation_data.size() + publication.content_type.size();
}

}  // namespace

std::size_t Outbox::push(Publication publication) {
  const auto size = size_of(publication);
  waiting_.push_back({next_sequence_, std::move(publication)});
  if (++next_sequence_ == nobody) ++next_sequence_;
  bytes_ += size;
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
  const auto window = suspicions_ >= suspicions_to_send_alone ? 1 : window_;
  if (waiting_.empty() || unacknowledged_.size() >= window) return std::nullopt;
  auto& first = waiting_.front();
  const auto place = unacknowledged_.emplace(first.sequence, std::move(first.publication)).first;
  waiting_.pop_front();
  return Entry{place->first, place->second};
}

bool Outbox::done(Sequence sequence) {
  const auto found = unacknowledged_.find(sequence);
  if (found == unacknowledged_.end()) return false;
  bytes_ -= size_of(found->second);
  unacknowledged_.erase(found);
  if (sequence == suspect_) suspicions_ = 0;
  return true;
}

const Publication* Outbox::find(Sequence sequence) const {
  const auto found = unacknowledged_.find(sequence);
  return found == unacknowledged_.end() ? nullptr : &found->second;
}

void Outbox::take_back(Sequence sequence) {
  auto found = unacknowledged_.extract(sequence);
  if (!found) return;
  auto place = waiting_.begin();
  while (place != waiting_.end() && Older{}(place->sequence, sequence)) ++place;
  waiting_.insert(place, {sequence, std::move(found.mapped())});
}

std::optional<Publication> Outbox::take_back_all() {
  if (unacknowledged_.empty()) return std::nullopt;
  const auto first = unacknowledged_.begin();
  suspicions_ = first->first == suspect_ ? suspicions_ + 1 : 1;
  suspect_ = first->first;
  std::optional<Publication> given_up;
  if (suspicions_ >= suspicions_to_give_up) {
    suspicions_ = 0;
    bytes_ -= size_of(first->second);
    given_up = std::move(first->second);
    unacknowledged_.erase(first);
  }
  for (auto entry = unacknowledged_.rbegin(); entry != unacknowledged_.rend(); ++entry) {
    waiting_.push_front({entry->first, std::move(entry->second)});
  }
  unacknowledged_.clear();
  return given_up;
}

}  // namespace jobs_bridge::mqtt
