#include "adapters/aws/credential_keeper.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "adapters/aws/signer.h"

namespace jobs_bridge::aws {
namespace {

using namespace std::chrono_literals;

constexpr auto max_fetch = 20s;

MonotonicTime time_now() {
  return std::chrono::steady_clock::now();
}

std::string seconds_until(const std::optional<MonotonicTime>& moment) {
  if (!moment) return {};
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(*moment - time_now());
  return std::to_string(left.count()) + "s";
}

}  // namespace

CredentialKeeper::CredentialKeeper(std::unique_ptr<CredentialSource> source, std::uint64_t seed,
                                   Log& log, Duration check_interval)
    : source_(std::move(source)),
      log_(log),
      check_interval_(check_interval),
      renewal_(Random(seed)),
      thread_([this] { run(); }) {}

CredentialKeeper::~CredentialKeeper() {
  stop();
}

void CredentialKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  source_->stop();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CredentialKeeper::run() {
  pthread_setname_np(pthread_self(), "credentials");
  std::unique_lock lock(mutex_);
  const auto is_due = [this] { return renewal_.due() <= time_now(); };
  while (true) {
    changed_.wait_until(lock, std::min(renewal_.due(), time_now() + check_interval_),
                        [&] { return stopping_ || is_due(); });
    if (stopping_) return;
    if (!is_due()) {
      lock.unlock();
      const bool returned = source_->has_returned();
      lock.lock();
      if (stopping_) return;
      if (!returned && !is_due()) continue;
    }
    renewal_.begin_fetch();
    lock.unlock();
    auto outcome = [this]() -> Result<Credentials, SourceFault> {
      try {
        return source_->fetch(time_now() + max_fetch);
      } catch (const std::exception& error) {
        return Failure{SourceFault{.absent = false, .cause = error.what()}};
      }
    }();
    lock.lock();
    if (stopping_) return;
    log(renewal_.take(time_now(), std::move(outcome), source_->name(), source_->can_change()));
    changed_.notify_all();
  }
}

void CredentialKeeper::log(const CredentialRenewal::Report& report) const {
  using Kind = CredentialRenewal::Report::Kind;
  const auto state = renewal_.state(time_now(), source_->name());
  if (report.former_source) {
    log_.write(Severity::warning, "credentials now come from a different source",
               {{"before", *report.former_source},
                {"source", state.source},
                {"hint",
                 "check whether that is intended: the former source may have had none for a "
                 "moment"}});
  }
  switch (report.kind) {
    case Kind::nothing:
      return;
    case Kind::available:
    case Kind::renewed: {
      const bool available = report.kind == Kind::available;
      log_.write(available ? Severity::info : Severity::debug,
                 available ? "credentials are available" : "credentials were renewed",
                 {{"source", state.source},
                  {"access_key_id", state.access_key_id},
                  {"expires_in", seconds_until(state.expires)},
                  {"expires", state.expiration ? signing_time(*state.expiration) : "never"}});
      return;
    }
    case Kind::old_ones_serve:
      log_.write(report.repeated ? Severity::debug : Severity::warning,
                 "credentials cannot be renewed: the old ones stay in use",
                 {{"source", state.source},
                  {"cause", state.fault},
                  {"expires_in", seconds_until(state.expires)},
                  {"hint", "correct the cause before they expire"}});
      return;
    case Kind::none_valid:
      log_.write(
          report.repeated ? Severity::debug : Severity::error,
          "no valid credentials: updates are held, all other requests are rejected",
          {{"source", state.source},
           {"cause", state.fault},
           {"hint",
            "check [credentials] in the configuration; set source = \"none\" if the endpoint "
            "needs no signatures"}});
  }
}

Result<CredentialsPointer, std::string> CredentialKeeper::current(MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return stopping_ || renewal_.has_answer(); });
  if (auto valid = renewal_.current(time_now())) return valid;
  if (stopping_) return Failure{std::string("stopped")};
  return Failure{renewal_.why_none(source_->name())};
}

CredentialsPointer CredentialKeeper::other_than(const CredentialsPointer& refused,
                                                MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  const auto found = renewal_.other_than(time_now(), refused);
  if (found.forced) changed_.notify_all();
  if (!found.awaited) return found.credentials;
  changed_.wait_until(lock, deadline,
                      [&] { return stopping_ || renewal_.has_outcome(*found.awaited); });
  return renewal_.others(time_now(), refused);
}

void CredentialKeeper::renew() {
  const std::lock_guard lock(mutex_);
  renewal_.renew();
  changed_.notify_all();
}

CredentialKeeper::State CredentialKeeper::state() const {
  const std::lock_guard lock(mutex_);
  return renewal_.state(time_now(), source_->name());
}

}  // namespace jobs_bridge::aws
