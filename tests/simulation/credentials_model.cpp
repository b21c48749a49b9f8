#include "tests/simulation/credentials_model.h"

#include <algorithm>
#include <chrono>

#include "bridge/flow/random.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest_fetch = 2s;

}  // namespace

CredentialsModel::CredentialsModel(Agenda& agenda, Duration life, std::uint64_t seed)
    : agenda_(agenda), life_(life), dice_(seed) {}

void CredentialsModel::begin(MonotonicTime now) {
  ++process_;
  schedule_.emplace(Random(dice_.next()));
  credentials_.reset();
  first_answer_.reset();
  failed_ = false;
  fetch(now);
}

Duration CredentialsModel::wait(MonotonicTime now) const {
  return first_answer_ ? std::max<Duration>(*first_answer_ - now, 0ns) : Duration::zero();
}

void CredentialsModel::fetch(MonotonicTime now) {
  const auto answer = now + dice_.between(1ms, longest_fetch);
  if (!credentials_ && !failed_) {
    first_answer_ = answer;
    failing_first_ = failing_;
  }
  agenda_.at(answer, [this, answer, failed = failing_, process = process_] {
    if (process == process_) take(answer, failed);
  });
}

void CredentialsModel::take(MonotonicTime now, bool failed) {
  first_answer_.reset();
  if (failed) {
    schedule_->failed(now);
  } else {
    promise(!credentials_ || failed_ || !credentials_->expired(now),
            "credentials do not end while their source gives new ones");
    credentials_.emplace();
    credentials_->expires = now + life_;
    schedule_->succeeded(now, *credentials_, false);
  }
  failed_ = failed;
  const auto due = schedule_->due();
  promise(due >= now + 1s, "the source of credentials is not asked without a pause");
  agenda_.at(due, [this, due, process = process_] {
    if (process == process_) fetch(due);
  });
}

}  // namespace jobs_bridge::simulation
