#include "adapters/mqtt/canary.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "bridge/text/parse_number.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

/// In keep-alives: a canary every half of one. A link that dies just after one came back is noticed
/// when the next has been waited for: after one keep-alive where nothing is heard any more, after
/// 1.3 where there are signs of life in one direction, which may only be slow.
constexpr double every = 0.5;
constexpr double timeout_without_signs = 0.5;
constexpr double timeout_with_signs = 0.8;
/// Paho can take a second to send or to notice something.
constexpr Duration min_timeout = 1s;
/// So many connections that deliver nothing are given up, each after twice as long; then it is not
/// the connection.
constexpr int max_not_delivering = 3;
/// So many connections that end right after a canary are no accident: brokers may close one over a
/// message that they do not allow (MQTT 3.1.1, section 3.3.5).
constexpr int max_fatal = 3;
constexpr Duration pause_after_fatal = 10min;
constexpr Duration moment = 50ms;
/// Later returns than of these prove nothing that the earlier would not have.
constexpr std::size_t max_under_way = 16;

Duration part_of(Duration duration, double share) {
  return std::chrono::duration_cast<Duration>(duration * share);
}

}  // namespace

Canary::Canary(std::string topic, std::string nonce)
    : topic_(std::move(topic)), nonce_(std::move(nonce)) {}

bool Canary::ask(MonotonicTime now, bool needed) {
  asked_ = !topic_.empty() && (needed || now >= paused_until_);
  return asked_;
}

void Canary::begin(MonotonicTime now, const Link& link) {
  const bool wanted = std::exchange(asked_, false);
  forget_connection();
  ++connection_;
  keep_alive_ = link.keep_alive;
  answers_ = link.answers;
  next_at_ = checked_ = last_arrival_ = now;
  if (!wanted) return;
  on_ = link.refusal.empty();
  if (!on_) fault_ = "the broker refuses the subscription: " + link.refusal;
}

void Canary::forget_connection() {
  on_ = flowing_ = own_answered_ = refused_ = verdict_given_up_ = false;
  under_way_.clear();
  last_message_.reset();
  unanswered_since_.reset();
  undelivered_since_.reset();
}

void Canary::end(MonotonicTime now) {
  const bool unanswered = asked_ || (on_ && answers_ && !own_answered_ && !under_way_.empty());
  if (unanswered && ++fatal_in_a_row_ >= max_fatal) {
    fatal_in_a_row_ = 0;
    paused_until_ = now + pause_after_fatal;
    fault_ = "several connections in a row ended before the broker answered a canary message";
  }
  asked_ = false;
  forget_connection();
}

std::string Canary::prefix() const {
  return nonce_ + " " + std::to_string(connection_) + " ";
}

void Canary::stood_still(MonotonicTime now) {
  checked_ = next_at_ = now;
  unanswered_since_.reset();
  if (undelivered_since_) undelivered_since_ = now;
}

void Canary::hold(MonotonicTime now) {
  next_at_ = std::max(next_at_, now + moment);
}

std::optional<Publication> Canary::next(MonotonicTime now, Duration suspended) {
  if (!on_ || now < next_at_) return std::nullopt;
  next_at_ = now + part_of(keep_alive_, every);
  if (unanswered_since_) return std::nullopt;
  if (answers_) unanswered_since_ = now;
  if (!undelivered_since_) undelivered_since_ = now;
  under_way_.push_back({++sequence_, now, suspended});
  if (under_way_.size() > max_under_way) under_way_.pop_front();
  return Publication{.topic = topic_, .payload = prefix() + std::to_string(sequence_)};
}

bool Canary::arrived(MonotonicTime now, std::string_view topic, std::string_view payload) {
  last_arrival_ = now;
  if (topic_.empty() || topic != topic_) {
    last_message_ = now;
    return false;
  }
  // One of an earlier connection may have waited in the session and shows nothing of this one.
  const auto begin = prefix();
  if (!on_ || !payload.starts_with(begin)) return true;
  payload.remove_prefix(begin.size());
  const auto sequence = parse_number<std::uint64_t>(payload);
  if (!sequence) return true;
  const auto sent = std::ranges::find(under_way_, *sequence, &Sent::sequence);
  if (sent == under_way_.end()) return true;

  note_own_answer();
  round_trip_ = now - sent->at;
  last_sent_ = sent->at + sent->suspended;
  under_way_.erase(under_way_.begin(), sent + 1);
  undelivered_since_ = under_way_.empty() ? std::nullopt : std::optional(under_way_.front().at);
  flowing_ = true;
  flowed_ = now;
  ++returns_;
  refused_ = verdict_given_up_ = false;
  not_delivering_in_a_row_ = 0;
  fault_.clear();
  return true;
}

void Canary::note_own_answer() {
  unanswered_since_.reset();
  own_answered_ = true;
  fatal_in_a_row_ = 0;
}

void Canary::acknowledged() {
  unanswered_since_.reset();
}

void Canary::accepted(MonotonicTime now) {
  if (!on_ || !answers_) return;
  note_own_answer();
  if (!std::exchange(refused_, false)) return;
  undelivered_since_ = now;
  fault_.clear();
}

void Canary::refused(MonotonicTime now, const std::string& reason) {
  if (!on_) return;
  accepted(now);
  refused_ = true;
  flowing_ = false;
  fault_ = "canary messages are " + reason;
}

bool Canary::is_overdue(MonotonicTime now) const {
  return on_ && undelivered_since_ && now - *undelivered_since_ > min_timeout;
}

MonotonicTime Canary::silent_at() const {
  if (!on_ || !unanswered_since_) return MonotonicTime::max();
  // Messages that arrive show that the link lives in their direction; the answer may wait behind
  // them.
  const bool signs = last_message_ && *last_message_ > *unanswered_since_;
  return *unanswered_since_ +
         std::max(min_timeout,
                  part_of(keep_alive_, signs ? timeout_with_signs : timeout_without_signs));
}

MonotonicTime Canary::not_delivering_at() const {
  if (!on_ || !undelivered_since_ || refused_ || verdict_given_up_) return MonotonicTime::max();
  // Where it has come back before, a message of another kind shows that it is only late. Where it
  // has not, there must be a verdict however many others come.
  const auto since = flowing_ ? std::max(*undelivered_since_, last_arrival_) : *undelivered_since_;
  return since + std::max(min_timeout, part_of(keep_alive_, timeout_with_signs)) *
                     (1 << not_delivering_in_a_row_);
}

Canary::Finding Canary::check(MonotonicTime now) {
  // If check() was not called for long, this process stood still, and what arrived meanwhile has
  // not been read.
  const bool stood_still = now - checked_ > part_of(keep_alive_, every) + min_timeout;
  checked_ = now;
  if (stood_still) {
    if (unanswered_since_) unanswered_since_ = now;
    if (undelivered_since_) undelivered_since_ = now;
  }
  if (now >= silent_at()) return Finding::silent;
  if (now < not_delivering_at()) return Finding::fine;
  const bool messages = last_message_ && *last_message_ > *undelivered_since_;
  if (flowed_ && !messages && not_delivering_in_a_row_ < max_not_delivering) {
    ++not_delivering_in_a_row_;
    return Finding::not_delivering;
  }
  verdict_given_up_ = true;
  fault_ = messages ? "no canary message comes back, although other messages arrive"
                    : "no canary message comes back, although the broker responds";
  return Finding::fine;
}

MonotonicTime Canary::due() const {
  if (!on_) return MonotonicTime::max();
  return std::min({next_at_, silent_at(), not_delivering_at()});
}

}  // namespace jobs_bridge::mqtt
