#include "adapters/mqtt/sender.h"

#include <chrono>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds between_overflow_reports{10};

}  // namespace

/// The one flush that is at work.
struct Sender::Turn {
  Sender& sender;
  explicit Turn(Sender& owner) : sender(owner) { sender.flushing_ = true; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    sender.flushing_ = false;
    if (sender.link_ == nullptr) sender.unused_.notify_all();
  }
};

Sender::Sender(Outbox::Limits limits, Log& log, LinkFailed link_failed)
    : log_(log), link_failed_(std::move(link_failed)), outbox_(limits) {}

void Sender::queue(Publication publication) {
  const std::lock_guard lock(mutex_);
  overflowed_ += outbox_.push(std::move(publication));
}

void Sender::flush() {
  std::unique_lock lock(mutex_);
  if (flushing_) return;
  {
    const Turn turn(*this);
    bool gathered = false;
    while (link_ != nullptr) {
      const auto entry = outbox_.next();
      if (entry) {
        if (!hand_over_next(lock, *entry)) break;
        gathered = true;
      } else if (std::exchange(gathered, false)) {
        send_gathered(lock);  // and look again: others may have queued meanwhile
      } else {
        break;
      }
    }
  }
  if (overflowed_ != overflow_reported_) report_overflow(lock);
}

bool Sender::hand_over_next(std::unique_lock<std::mutex>& lock, const Outbox::Entry& entry) {
  const auto sequence = entry.sequence;
  Link& link = *link_;  // end() waits for us
  std::string cause;
  // Nobody else touches an entry that has not been sent: no acknowledgement can come for it, and
  // it is not recalled before end() has returned.
  lock.unlock();
  const auto handed = link.hand_over(sequence, entry.publication, cause);
  if (handed == Link::Handed::never) report_unpublishable(entry.publication.topic, cause);
  lock.lock();
  switch (handed) {
    case Link::Handed::over:
      return true;
    case Link::Handed::never:
      give_up(sequence);
      return true;
    case Link::Handed::later:
      break;
  }
  outbox_.take_back(sequence);
  link_ = nullptr;
  lock.unlock();
  link_failed_(cause);
  lock.lock();
  return false;
}

void Sender::send_gathered(std::unique_lock<std::mutex>& lock) {
  Link& link = *link_;  // end() waits for us
  lock.unlock();
  link.send_gathered();
  lock.lock();
}

void Sender::begin(Link& link, std::size_t window) {
  const std::lock_guard lock(mutex_);
  link_ = &link;
  outbox_.set_window(window);
}

void Sender::end() {
  std::unique_lock lock(mutex_);
  link_ = nullptr;
  unused_.wait(lock, [&] { return !flushing_; });
}

void Sender::recall() {
  std::optional<Publication> given_up;
  {
    const std::lock_guard lock(mutex_);
    given_up = outbox_.take_back_all();
    if (given_up) ++unpublishable_;
    if (outbox_.empty()) drained_.notify_all();
  }
  if (given_up) {
    report_unpublishable(given_up->topic,
                         "the connection has ended after it again and again; perhaps it is larger "
                         "than the broker allows");
  }
}

void Sender::acknowledged(Outbox::Sequence sequence) {
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    outbox_.done(sequence);
    more = outbox_.waiting() > 0;
    if (outbox_.empty()) drained_.notify_all();
  }
  if (more) flush();
}

void Sender::refused(Outbox::Sequence sequence, const std::string& cause) {
  std::string topic;
  {
    const std::lock_guard lock(mutex_);
    if (const auto* publication = outbox_.find(sequence)) topic = publication->topic;
    give_up(sequence);
  }
  report_unpublishable(topic, "the broker refuses it: " + cause);
  flush();
}

void Sender::give_up(Outbox::Sequence sequence) {
  if (outbox_.done(sequence)) ++unpublishable_;
  if (outbox_.empty()) drained_.notify_all();
}

void Sender::report_unpublishable(const std::string& topic, const std::string& cause) {
  log_.write(Severity::error, "a reply cannot be published", {{"topic", topic}, {"cause", cause}});
}

void Sender::report_overflow(std::unique_lock<std::mutex>& lock) {
  const auto now = steady_clock::now();
  if (now < next_overflow_report_) return;
  next_overflow_report_ = now + between_overflow_reports;
  const auto count = std::to_string(overflowed_ - overflow_reported_);
  overflow_reported_ = overflowed_;
  lock.unlock();
  log_.write(Severity::warning, "replies dropped: too many wait for the broker",
             {{"dropped", count}});
}

bool Sender::drain(Duration patience) {
  std::unique_lock lock(mutex_);
  return drained_.wait_for(lock, patience, [&] { return outbox_.empty(); });
}

Sender::Counts Sender::counts() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = outbox_.waiting(),
          .unacknowledged = outbox_.unacknowledged(),
          .bytes = outbox_.bytes(),
          .overflowed = overflowed_,
          .unpublishable = unpublishable_};
}

}  // namespace jobs_bridge::mqtt
