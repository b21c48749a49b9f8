#include "tests/simulation/credentials_model.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "bridge/flow/random.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest_fetch = 2s;
/// As the daemon promises it.
constexpr Duration between_forced = 10s;
constexpr Duration between_forced_near_the_end = 1s;
constexpr Duration near_the_end = 5s;
constexpr Duration between_fetches = 1s;

constexpr std::string_view key_prefix = "key-";

std::uint64_t number_of(const aws::Credentials& credentials) {
  std::uint64_t number = 0;
  const auto digits = std::string_view(credentials.access_key_id).substr(key_prefix.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

CredentialsModel::CredentialsModel(Agenda& agenda, Duration life, std::uint64_t seed)
    : agenda_(agenda), life_(life), dice_(seed) {}

void CredentialsModel::begin(MonotonicTime now) {
  end();
  renewal_.emplace(Random(dice_.next()));
  began_ = now;
  run(now);
}

void CredentialsModel::end() {
  ++process_;
  renewal_.reset();
  planned_ = MonotonicTime::max();
  fetching_ = false;
  forced_ = false;
  forced_at_.reset();
  answered_at_.reset();
  given_.reset();
  failed_ = false;
  waiters_.clear();
}

void CredentialsModel::set_failing(MonotonicTime now, bool failing) {
  if (failing_) failed_until_ = now;
  failing_ = failing;
}

void CredentialsModel::revoke(MonotonicTime now, Duration kept) {
  revoked_ = issued_;
  revoked_at_ = now;
  kept_until_ = now + kept;
}

void CredentialsModel::end_faults(MonotonicTime now) {
  set_failing(now, false);
  kept_until_ = std::min(kept_until_, now);
  none_until_ = std::min(none_until_, now);
}

MonotonicTime CredentialsModel::good_since() const {
  if (failing_) return MonotonicTime::max();
  return std::max({failed_until_, revoked_at_, kept_until_, none_until_});
}

bool CredentialsModel::accepts(MonotonicTime now, const aws::Credentials& credentials) const {
  return now >= none_until_ && number_of(credentials) > revoked_ && !credentials.expired(now);
}

CredentialsModel::Outcome CredentialsModel::ask_source(MonotonicTime now) {
  if (failing_) return Failure{aws::SourceFault{.absent = false, .cause = "simulated"}};
  const bool same = last_ && now<kept_until_&& * last_->expires - now> life_ / 2;
  if (!same) {
    last_.emplace();
    last_->access_key_id = std::string(key_prefix) + std::to_string(++issued_);
    last_->expires = now + life_;
  }
  return *last_;
}

/// What the thread does that renews them: sleeps until a fetch is due.
void CredentialsModel::run(MonotonicTime now) {
  if (fetching_) return;
  const auto due = renewal_->due();
  if (due <= now) return fetch(now);
  if (due == planned_) return;
  planned_ = due;
  if (due == MonotonicTime::max()) return;
  agenda_.at(due, [this, due, process = process_] {
    if (process != process_ || due != planned_) return;
    planned_ = MonotonicTime::max();
    run(due);
  });
}

void CredentialsModel::fetch(MonotonicTime now) {
  promise(std::exchange(forced_, false) || !answered_at_ || now >= *answered_at_ + between_fetches,
          "the source of credentials is not asked without a pause");
  ++fetches_;
  fetching_ = true;
  renewal_->begin_fetch();
  // What comes was decided when it was asked for, which is the worst case.
  const auto answer = now + dice_.between(1ms, longest_fetch);
  agenda_.at(answer, [this, answer, outcome = ask_source(now), process = process_] {
    if (process == process_) take(answer, outcome);
  });
}

void CredentialsModel::take(MonotonicTime now, Outcome outcome) {
  fetching_ = false;
  const bool had_some = answered_at_ && !failed_;
  failed_ = !outcome;
  promise(!had_some || failed_ || renewal_->current(now),
          "credentials do not end while their source gives new ones");
  answered_at_ = now;
  if (outcome) given_ = *outcome;
  const auto report = renewal_->take(now, std::move(outcome), "simulated", false);
  using Kind = aws::CredentialRenewal::Report::Kind;
  const bool valid = judged_current(now) != nullptr;
  promise(!failed_ || report.kind == (valid ? Kind::old_ones_serve : Kind::none_valid),
          "whether the old credentials still serve is reported as it is");
  std::vector<Waiter> done;
  std::vector<Waiter> left;
  for (auto& waiter : waiters_) (is_over(waiter) ? done : left).push_back(std::move(waiter));
  waiters_ = std::move(left);
  for (const auto& waiter : done) waiter.over(now);
  run(now);
}

void CredentialsModel::wait(MonotonicTime now, Waiter waiter, MonotonicTime deadline) {
  if (is_over(waiter) || deadline <= now) return waiter.over(now);
  waiter.number = next_waiter_++;
  agenda_.at(deadline, [this, number = waiter.number, deadline, process = process_] {
    if (process != process_) return;
    const auto found = std::ranges::find(waiters_, number, &Waiter::number);
    if (found == waiters_.end()) return;
    const auto over = std::move(found->over);
    waiters_.erase(found);
    over(deadline);
  });
  waiters_.push_back(std::move(waiter));
}

bool CredentialsModel::is_over(const Waiter& waiter) const {
  return waiter.awaited ? renewal_->has_outcome(*waiter.awaited) : renewal_->has_answer();
}

void CredentialsModel::current(MonotonicTime now, MonotonicTime deadline, Ready ready) {
  wait(now,
       {.number = 0,
        .awaited = {},
        .over =
            [this, began = now, ready = std::move(ready)](MonotonicTime then) {
              promise(then == began || then <= began_ + longest_fetch,
                      "a call waits for the source's first answer only");
              ready(judged_current(then));
            }},
       deadline);
}

aws::CredentialsPointer CredentialsModel::judged_current(MonotonicTime now) const {
  auto found = renewal_->current(now);
  promise(!found || !found->expired(now), "a call gets no credentials that have ended");
  promise(found || failed_ || !answered_at_,
          "credentials do not end while their source gives new ones");
  promise(given_ && !given_->expired(now)
              ? found && found->same_keys(*given_) && found->expires == given_->expires
              : !found,
          "what the source gave last serves until its end");
  return found;
}

void CredentialsModel::other_than(const Refusal& refusal, Ready ready) {
  const auto now = refusal.heard_at;
  const auto others = renewal_->other_than(now, refusal.credentials);
  if (others.forced) judge_forced(now, *refusal.credentials);
  if (!others.awaited) return ready(judged_others(now, refusal, others.credentials));
  const int fetches = (fetching_ ? 1 : 0) + (forced_ ? 1 : 0);
  promise(fetches > 0, "a call waits for a renewal that is under way or due");
  wait(now,
       {.number = 0,
        .awaited = others.awaited,
        .over =
            [this, refusal, fetches, ready = std::move(ready)](MonotonicTime then) {
              promise(then <= refusal.heard_at + fetches * longest_fetch,
                      "a call waits for one renewal, and no longer");
              ready(judged_others(then, refusal, renewal_->others(then, refusal.credentials)));
            }},
       refusal.deadline);
  run(now);
}

aws::CredentialsPointer CredentialsModel::judged_others(MonotonicTime now, const Refusal& refusal,
                                                        aws::CredentialsPointer found) const {
  promise(!found || !found->same_keys(*refusal.credentials),
          "a call does not get those credentials again that were refused");
  promise(!found || !found->expired(now), "a call gets no credentials that have ended");
  const auto good = good_since();
  const bool revoked = number_of(*refusal.credentials) <= revoked_;
  const bool has_time = refusal.deadline >= refusal.heard_at + 2 * longest_fetch;
  // Such as are refused by a mistake of the endpoint's are not replaced by those.
  if (!revoked || !has_time || good > now || refusal.heard_at < good + between_forced) return found;
  promise(found != nullptr,
          "a call whose credentials were revoked gets others once their source has some");
  // Signed earlier, it may have missed a renewal whose outcome is revoked too.
  promise(refusal.signed_at < good + longest_fetch || accepts(now, *found),
          "what replaces revoked credentials is accepted");
  return found;
}

void CredentialsModel::judge_forced(MonotonicTime now, const aws::Credentials& refused) {
  const bool ending = *refused.expires - now < near_the_end;
  promise(
      !forced_at_ || now >= *forced_at_ + (ending ? between_forced_near_the_end : between_forced),
      "a renewal is forced every ten seconds at most, or every second near the end");
  forced_ = true;
  forced_at_ = now;
}

}  // namespace jobs_bridge::simulation
