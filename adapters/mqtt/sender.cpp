#include "adapters/mqtt/sender.h"

#include <chrono>
#include <utility>

#include "bridge/jobs/replacement.h"

namespace jobs_bridge::mqtt {
namespace {

constexpr std::chrono::seconds between_overflow_reports{10};

/// Five pauses that double, 8 s in total: about as long as a device waits.
constexpr int max_retries = 5;
constexpr std::chrono::milliseconds first_pause{250};

/// An acknowledgement that takes longer, several times in a row, is late.
constexpr std::chrono::milliseconds late{200};
constexpr int late_in_a_row = 3;

/// Those that are refused together do not come back together.
Duration pause_before_retry(int refusals, Outbox::Sequence sequence) {
  constexpr Outbox::Sequence spread = 16;
  const auto pause = first_pause * (1 << refusals);
  return pause + pause * static_cast<int>(sequence % spread) / (4 * static_cast<int>(spread));
}

std::int64_t unix_seconds_now() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch())
      .count();
}

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

Sender::Sender(Outbox::Limits limits, Log& log, LinkFailed link_failed, OnDueChanged on_due_changed,
               Clock clock)
    : log_(log),
      link_failed_(std::move(link_failed)),
      on_due_changed_(std::move(on_due_changed)),
      clock_(std::move(clock)),
      outbox_(limits) {}

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
    if (outbox_.due() != MonotonicTime::max()) outbox_.release(clock_());
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
  report_ended(lock);
}

void Sender::report_ended(std::unique_lock<std::mutex>& lock) {
  const auto updates = outbox_.take_ended_updates();
  lock.unlock();
  if (!updates.empty() && on_replies_ended_) on_replies_ended_(updates);
}

bool Sender::hand_over_next(std::unique_lock<std::mutex>& lock, const Outbox::Entry& entry) {
  const auto sequence = entry.sequence;
  Link& link = *link_;  // end() waits for us
  Refusal why;
  if (presumed_limit_.excludes(clock_(), Outbox::size_of(entry.publication))) {
    refuse_for_good(lock, sequence,
                    {.kind = Refusal::Kind::too_large,
                     .detail = "connections have ended because of one of " +
                               std::to_string(presumed_limit_.size()) + " bytes"});
    return true;
  }
  if (!sample_ || outbox_.find(*sample_) == nullptr) {
    sample_ = sequence;
    sampled_at_ = clock_();
  }
  // No other thread touches an entry that has not been sent: no acknowledgement can come for it,
  // and it is not recalled before end() has returned.
  lock.unlock();
  const auto result = link.hand_over(sequence, entry.publication, why);
  lock.lock();
  switch (result) {
    case Link::SendResult::accepted:
      return true;
    case Link::SendResult::unsendable:
      refuse_for_good(lock, sequence, why);
      return true;
    case Link::SendResult::link_failed:
      break;
  }
  outbox_.take_back(sequence);
  link_ = nullptr;
  lock.unlock();
  link_failed_(why.detail);
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
  sample_.reset();
  late_ = 0;
  outbox_.set_window(window);
}

void Sender::end() {
  std::unique_lock lock(mutex_);
  link_ = nullptr;
  unused_.wait(lock, [&] { return !flushing_; });
}

void Sender::recall(Evidence evidence) {
  std::unique_lock lock(mutex_);
  if (const auto cause = outbox_.take_back_all(evidence)) {
    refuse_for_good(lock, *cause,
                    {.kind = Refusal::Kind::ends_connection,
                     .detail = "the connection has repeatedly ended after it was sent"});
  }
  if (outbox_.empty()) drained_.notify_all();
  report_ended(lock);
}

std::size_t Sender::drop_waiting() {
  std::unique_lock lock(mutex_);
  const auto dropped = outbox_.drop_waiting();
  if (outbox_.empty()) drained_.notify_all();
  report_ended(lock);
  return dropped;
}

std::string Sender::topic_of(Outbox::Sequence sequence) const {
  const std::lock_guard lock(mutex_);
  const auto* sent = outbox_.find(sequence);
  return sent != nullptr ? sent->publication.topic : std::string();
}

void Sender::acknowledged(Outbox::Sequence sequence) {
  bool more = false;
  bool no_suspects_left = false;
  bool lags = false;
  bool presumed = false;
  std::size_t too_large = 0;
  {
    std::unique_lock lock(mutex_);
    if (const auto* sent = outbox_.find(sequence)) {
      if (sent->replacement) ++replaced_;
      presumed = presumed_limit_.accepted(clock_(), sequence, Outbox::size_of(sent->publication));
      too_large = presumed_limit_.size();
    }
    if (sequence == sample_ && outbox_.find(sequence) != nullptr) {
      late_ = clock_() - sampled_at_ > late ? late_ + 1 : 0;
      lags = late_ == late_in_a_row;
    }
    const bool had_suspects = outbox_.has_suspects();
    outbox_.done(sequence);
    no_suspects_left = had_suspects && !outbox_.has_suspects();
    more = outbox_.waiting() > 0;
    if (outbox_.empty()) drained_.notify_all();
    report_ended(lock);
  }
  if (presumed) {
    log_.write(Severity::warning,
               "the broker seems to close connections because of large packets: replies of this "
               "size or more are replaced by rejections",
               {{"bytes", std::to_string(too_large)}, {"hint", hint_of(Refusal::Kind::too_large)}});
  }
  if (no_suspects_left || lags) on_due_changed_();
  if (more) flush();
}

void Sender::refused(Outbox::Sequence sequence, const Refusal& why) {
  bool postponed = false;
  {
    std::unique_lock lock(mutex_);
    const auto* sent = outbox_.find(sequence);
    if (sent == nullptr) return;  // the broker acknowledged it twice
    if (is_transient(why.kind) && sent->refusals < max_retries) {
      ++retried_;
      outbox_.postpone(sequence, clock_() + pause_before_retry(sent->refusals, sequence));
      postponed = true;
    } else {
      refuse_for_good(lock, sequence, why);
    }
  }
  if (postponed) on_due_changed_();
  flush();
}

void Sender::refuse_for_good(std::unique_lock<std::mutex>& lock, Outbox::Sequence sequence,
                             const Refusal& why) {
  const auto* sent = outbox_.find(sequence);
  if (sent == nullptr) return;
  const auto& publication = sent->publication;
  const auto topic = publication.topic;
  const bool was_replacement = sent->replacement;
  const bool awaited = publication.kind != Publication::Kind::notification;
  std::optional<Publication> replacement;
  if (!was_replacement) {
    ++unpublishable_;
    last_refused_ = Refused{.kind = why.kind, .topic = topic, .detail = why.detail, .at = clock_()};
    replacement = replacement_of(publication, code_for_device(why.kind), words_for_device(why.kind),
                                 unix_seconds_now());
  }
  const bool replaced = replacement.has_value();
  if (replaced) {
    if (why.kind == Refusal::Kind::ends_connection) {
      presumed_limit_.ended_connections(sequence, Outbox::size_of(publication));
    }
    outbox_.replace(sequence, *std::move(replacement));
  } else {
    outbox_.done(sequence);
    if (awaited) ++unanswered_;
  }
  if (outbox_.empty()) drained_.notify_all();
  lock.unlock();
  log_.write(replaced ? Severity::warning : Severity::error,
             was_replacement ? "the rejection in place of a reply cannot be published either"
                             : "a reply cannot be published",
             {{"topic", topic},
              {"cause", why.detail},
              {"instead", replaced ? "a rejection" : "nothing"},
              {"hint", hint_of(why.kind)}});
  lock.lock();
}

MonotonicTime Sender::due() const {
  const std::lock_guard lock(mutex_);
  return outbox_.due();
}

bool Sender::has_suspects() const {
  const std::lock_guard lock(mutex_);
  return outbox_.has_suspects();
}

bool Sender::lags() const {
  const std::lock_guard lock(mutex_);
  return late_ >= late_in_a_row;
}

void Sender::report_overflow(std::unique_lock<std::mutex>& lock) {
  const auto now = clock_();
  if (now < next_overflow_report_) return;
  next_overflow_report_ = now + between_overflow_reports;
  const auto count = std::to_string(overflowed_ - overflow_reported_);
  overflow_reported_ = overflowed_;
  lock.unlock();
  log_.write(Severity::warning, "replies dropped: too many are waiting for the broker",
             {{"dropped", count},
              {"hint",
               "check the broker's load and its log: it was unavailable for long, or accepts "
               "replies too slowly"}});
  lock.lock();
}

bool Sender::drain(Duration timeout) {
  std::unique_lock lock(mutex_);
  return drained_.wait_for(lock, timeout, [&] { return outbox_.empty(); });
}

Sender::Counts Sender::counts() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = outbox_.waiting(),
          .unacknowledged = outbox_.unacknowledged(),
          .bytes = outbox_.bytes(),
          .overflowed = overflowed_,
          .unpublishable = unpublishable_,
          .replaced = replaced_,
          .unanswered = unanswered_,
          .retried = retried_,
          .last_refused = last_refused_};
}

}  // namespace jobs_bridge::mqtt
