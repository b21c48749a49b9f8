#include "adapters/mqtt/topic_test.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

/// What has not come back after so long without anything else coming, does not come; nor what has
/// not after so long in any case.
constexpr Duration return_timeout = 2s;
constexpr Duration max_return_timeout = 60s;
/// If no answer comes, the link is dead, which other checks report.
constexpr Duration answer_timeout = 30s;
/// An ACL may be changed while we are connected.
constexpr Duration between_rounds = 5min;
/// An operator may be at work on what is wrong. Nor does a refusal cause rounds more often.
constexpr Duration between_rounds_if_not_good = 30s;
/// Two connections that end over the same topic are no accident.
constexpr int max_fatal = 2;
constexpr Duration pause_after_fatal = 10min;

std::string_view last_level(std::string_view topic) {
  return topic.substr(topic.rfind('/') + 1);
}

/// Whether two topics of requests differ in the names of thing and job alone.
bool is_of_one_kind(std::string_view left, std::string_view right) {
  return last_level(left) == last_level(right) &&
         std::ranges::count(left, '/') == std::ranges::count(right, '/');
}

/// The same of replies, which have a level more.
bool are_replies_of_one_kind(std::string_view left, std::string_view right) {
  const auto without_last = [](std::string_view topic) {
    return topic.substr(0, std::min(topic.rfind('/'), topic.size()));
  };
  return last_level(left) == last_level(right) &&
         is_of_one_kind(without_last(left), without_last(right));
}

/// Lists the first few topics as text.
class TopicList {
 public:
  void add(const std::string& topic) {
    if (++count_ > shown) return;
    if (!text_.empty()) text_ += ", ";
    text_ += topic;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::string text() const {
    return count_ <= shown ? text_ : text_ + " and " + std::to_string(count_ - shown) + " more";
  }

 private:
  static constexpr std::size_t shown = 2;
  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace

TopicTest::TopicTest(Topics topics, std::string nonce, bool mqtt_5)
    : topics_(std::move(topics)), nonce_(std::move(nonce)), mqtt_5_(mqtt_5) {
  for (const auto& topic : topics_.requests)
    probes_.push_back({.topic = topic, .is_request = true});
  for (const auto& topic : topics_.replies) probes_.push_back({.topic = topic});
  real_requests_missing_ = topics_.requests.size();
  maybe_delivered_elsewhere_ = topics_.shared;
  summarize();
}

std::vector<std::string> TopicTest::ask(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  asked_ = !probes_.empty() && now >= paused_until_;
  std::vector<std::string> filters;
  if (!asked_) return filters;
  if (!mqtt_5_) filters = topics_.reply_filters;
  if (topics_.own_group.empty()) return filters;
  for (const auto& request : topics_.requests) {
    filters.push_back("$share/" + topics_.own_group + "/" + request);
  }
  return filters;
}

void TopicTest::begin(MonotonicTime now, bool answers, bool granted) {
  const std::lock_guard lock(mutex_);
  if (on_ || !std::exchange(asked_, false)) return;
  on_ = true;
  answers_ = answers;
  maybe_delivered_elsewhere_ = topics_.shared && (topics_.own_group.empty() || !granted);
  next_at_ = now;
}

void TopicTest::end(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const bool asking = std::exchange(asked_, false) && !mqtt_5_;
  const auto topic = on_ && under_way_ ? probes_[next_probe_ - 1].topic
                     : asking          ? topics_.reply_filters.front()
                                       : std::string();
  on_ = in_round_ = under_way_ = false;
  for (auto& probe : probes_) probe.open = false;
  if (topic.empty()) return;
  fatal_in_a_row_ = topic == fatal_topic_ ? fatal_in_a_row_ + 1 : 1;
  fatal_topic_ = topic;
  if (fatal_in_a_row_ < max_fatal) return;
  fatal_in_a_row_ = 0;
  paused_until_ = now + pause_after_fatal;
  for (auto& probe : probes_) {
    if (probe.topic == topic) {
      probe.outcome = Probe::Outcome::refused;
      probe.cause = "several connections in a row ended after a publication on this topic";
    } else if (probe.outcome == Probe::Outcome::untested) {
      probe.outcome = Probe::Outcome::untestable;
    }
  }
  summarize();
}

void TopicTest::begin_round() {
  ++round_;
  next_probe_ = 0;
  for (auto& probe : probes_) {
    if (!probe.has_passed) continue;
    if (!probe.is_request) {
      probe.real_reply_accepted = false;
    } else if (std::exchange(probe.real_request_seen, false)) {
      ++real_requests_missing_;
    }
  }
}

std::string TopicTest::payload() const {
  return nonce_ + " " + std::to_string(round_);
}

std::optional<Publication> TopicTest::next(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (!on_ || now < next_at_) return std::nullopt;
  if (under_way_) {
    // No answer: this round says nothing.
    under_way_ = in_round_ = false;
    for (auto& probe : probes_) probe.open = false;
    next_at_ = now + between_rounds_if_not_good;
    return std::nullopt;
  }
  if (!std::exchange(in_round_, true)) begin_round();
  if (next_probe_ == probes_.size()) {
    const auto quiet_at = std::min(last_event_ + return_timeout, all_sent_at_ + max_return_timeout);
    if (!is_open() || now >= quiet_at) {
      conclude(now);
    } else {
      next_at_ = quiet_at;
    }
    return std::nullopt;
  }
  auto& probe = probes_[next_probe_++];
  probe.open = true;
  last_event_ = now;
  under_way_ = true;
  next_at_ = now + answer_timeout;
  return Publication{.topic = probe.topic, .payload = payload()};
}

MonotonicTime TopicTest::due() const {
  const std::lock_guard lock(mutex_);
  return on_ ? next_at_ : MonotonicTime::max();
}

bool TopicTest::arrived(MonotonicTime now, std::string_view topic, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (probes_.empty()) return false;
  last_event_ = now;
  if (!topic.starts_with(topics_.reserved)) {
    if (real_requests_missing_ > 0) note_real_request(topic);
    return false;
  }
  if (!in_round_ || text != payload()) {
    // Another member's request has come by the filters of the group, as those of devices do.
    if (topics_.shared && real_requests_missing_ > 0) note_real_request(topic);
    return true;
  }
  for (auto& probe : probes_) {
    if (probe.topic == topic && std::exchange(probe.open, false)) note_passed(probe);
  }
  if (!under_way_ && !is_open()) next_at_ = now;
  return true;
}

void TopicTest::note_passed(Probe& probe) {
  probe.outcome = Probe::Outcome::passed;
  probe.has_passed = true;
  probe.real_refusal.reset();
}

bool TopicTest::is_open() const {
  return std::ranges::any_of(probes_, &Probe::open);
}

void TopicTest::note_real_request(std::string_view topic) {
  for (auto& probe : probes_) {
    if (!probe.is_request || probe.real_request_seen || !is_of_one_kind(probe.topic, topic))
      continue;
    probe.real_request_seen = true;
    --real_requests_missing_;
    summarize();
  }
}

void TopicTest::accepted(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(under_way_, false)) return;
  auto& probe = probes_[next_probe_ - 1];
  if (probe.topic == fatal_topic_) fatal_in_a_row_ = 0;
  // Over MQTT 5 the broker's answer is reliable for topics that only we subscribe to.
  if (!probe.is_request && mqtt_5_ && answers_) {
    probe.open = false;
    note_passed(probe);
  }
  last_event_ = all_sent_at_ = next_at_ = now;
}

void TopicTest::refused(MonotonicTime now, const Refusal& why) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(under_way_, false)) return;
  auto& probe = probes_[next_probe_ - 1];
  if (probe.topic == fatal_topic_) fatal_in_a_row_ = 0;
  probe.open = false;
  probe.outcome = Probe::Outcome::refused;
  probe.cause = why.detail;
  last_event_ = all_sent_at_ = next_at_ = now;
}

void TopicTest::conclude(MonotonicTime now) {
  in_round_ = false;
  concluded_at_ = now;
  for (auto& probe : probes_) {
    if (std::exchange(probe.open, false)) probe.outcome = Probe::Outcome::absent;
  }
  summarize();
  const bool good = state_.requests == Verdict::good && state_.replies == Verdict::good;
  next_at_ = now + (good ? between_rounds : between_rounds_if_not_good);
}

bool TopicTest::awaits_replies() const {
  if (!mqtt_5_) return false;  // it would acknowledge what it drops
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(probes_, [](const Probe& probe) {
    return !probe.is_request && (probe.outcome != Probe::Outcome::passed || probe.real_refusal);
  });
}

void TopicTest::reply_accepted(std::string_view topic) {
  if (!mqtt_5_) return;
  const std::lock_guard lock(mutex_);
  bool changed = !std::exchange(real_reply_accepted_, true);
  for (auto& probe : probes_) {
    if (probe.is_request || (probe.real_reply_accepted && !probe.real_refusal) ||
        !are_replies_of_one_kind(probe.topic, topic)) {
      continue;
    }
    probe.real_reply_accepted = true;
    probe.real_refusal.reset();
    changed = true;
  }
  if (changed) summarize();
}

bool TopicTest::begin_soon(MonotonicTime now) {
  const auto soon = std::max(now, concluded_at_ + between_rounds_if_not_good);
  if (!on_ || in_round_ || next_at_ <= soon) return false;
  next_at_ = soon;
  return true;
}

bool TopicTest::other_refused(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  return begin_soon(now);
}

bool TopicTest::reply_refused(MonotonicTime now, std::string_view topic, const Refusal& why) {
  if (why.kind != Refusal::Kind::not_authorized && why.kind != Refusal::Kind::invalid_topic) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  bool changed = false;
  for (auto& probe : probes_) {
    if (probe.is_request || probe.real_refusal || !are_replies_of_one_kind(probe.topic, topic)) {
      continue;
    }
    probe.real_reply_accepted = false;
    probe.real_refusal = why.detail;
    changed = true;
  }
  if (changed) summarize();
  return begin_soon(now);
}

void TopicTest::summarize() {
  state_ = {};
  if (probes_.empty()) return;
  summarize_requests();
  summarize_replies();
}

void TopicTest::summarize_requests() {
  using Outcome = Probe::Outcome;
  TopicList missing;
  TopicList blocked;
  std::string blocked_cause;
  bool untested = false;
  bool untestable = false;
  bool has_passed = false;
  for (const auto& probe : probes_) {
    if (!probe.is_request || probe.outcome == Outcome::passed || probe.real_request_seen) continue;
    // What other members of the group have been handed proves nothing.
    if (maybe_delivered_elsewhere_ && probe.has_passed) continue;
    if (probe.outcome == Outcome::untested) {
      untested = true;
    } else if (probe.outcome == Outcome::untestable) {
      untestable = true;
    } else if (probe.outcome == Outcome::refused) {
      blocked.add(probe.topic);
      blocked_cause = probe.cause;
    } else {
      missing.add(probe.topic);
      has_passed = has_passed || probe.has_passed;
    }
  }
  const bool nothing_comes = std::ranges::all_of(probes_, [](const Probe& probe) {
    return probe.outcome == Outcome::absent && !probe.real_request_seen;
  });
  if (!missing.empty()) {
    // Over MQTT 5 it has taken a request, and we have its word that we subscribe to it.
    const bool sure = (mqtt_5_ && answers_) || has_passed || (!mqtt_5_ && nothing_comes);
    state_.requests = sure && !maybe_delivered_elsewhere_ ? Verdict::bad : Verdict::undecided;
    state_.requests_cause =
        !mqtt_5_ && nothing_comes
            ? "nothing that the bridge publishes on Jobs topics comes back to it, neither " +
                  missing.text() + " nor any reply"
            : "the broker accepted a request, but did not deliver it to the bridge" +
                  std::string(topics_.shared
                                  ? " through its shared subscription (broker.share_group)"
                                  : "") +
                  ": " + missing.text();
  } else if (!blocked.empty()) {
    state_.requests = Verdict::undecided;
    state_.requests_cause = blocked.text() + ": " + blocked_cause;
  } else if (untestable) {
    state_.requests = Verdict::undecided;
    state_.requests_cause = "several connections in a row ended during the self-test";
  } else {
    state_.requests = untested ? Verdict::untested : Verdict::good;
  }
}

/// Whether the broker is known to allow the test's replies: it has accepted one of them.
bool TopicTest::test_is_allowed() const {
  return std::ranges::any_of(
      probes_, [](const Probe& probe) { return !probe.is_request && probe.has_passed; });
}

void TopicTest::summarize_replies() {
  using Outcome = Probe::Outcome;
  TopicList absent;
  TopicList refused;
  std::string refused_cause;
  bool untested = false;
  bool untestable = false;
  bool has_passed = false;
  const bool real_ones_pass = !test_is_allowed() && real_reply_accepted_ &&
                              std::ranges::none_of(probes_, [](const Probe& probe) {
                                return probe.real_refusal.has_value();
                              });
  for (const auto& probe : probes_) {
    if (probe.is_request || probe.outcome == Outcome::passed) continue;
    if (real_ones_pass || probe.real_reply_accepted) continue;
    if (probe.outcome == Outcome::untested) {
      untested = true;
    } else if (probe.outcome == Outcome::untestable) {
      untestable = true;
    } else if (probe.outcome == Outcome::refused || probe.real_refusal) {
      refused.add(probe.topic);
      refused_cause = probe.real_refusal.value_or(probe.cause);
    } else {
      absent.add(probe.topic);
      has_passed = has_passed || probe.has_passed;
    }
  }
  if (!refused.empty()) {
    state_.replies = Verdict::bad;
    state_.replies_cause = refused.text() + ": " + refused_cause;
  } else if (!absent.empty()) {
    state_.replies = has_passed ? Verdict::bad : Verdict::undecided;
    state_.replies_cause =
        "the broker acknowledged replies, but did not deliver them to the bridge: " + absent.text();
  } else if (untestable) {
    state_.replies = Verdict::undecided;
    state_.replies_cause = "several connections in a row ended during the self-test";
  } else {
    state_.replies = untested ? Verdict::untested : Verdict::good;
  }
}

TopicTest::State TopicTest::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace jobs_bridge::mqtt
