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
constexpr Duration between_forced_renewals = 10s;
constexpr auto about_to_end = 5s;
/// A failure that repeats is logged again after so long; in between at debug.
constexpr Duration report_interval = 5min;

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
      schedule_(Random(seed)),
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
  while (true) {
    changed_.wait_until(lock, std::min(schedule_.due(), time_now() + check_interval_),
                        [this] { return stopping_ || forced_; });
    if (stopping_) return;
    if (!forced_ && time_now() < schedule_.due()) {
      lock.unlock();
      const bool returned = source_->has_returned();
      lock.lock();
      if (stopping_) return;
      if (!returned && !forced_) continue;
    }
    forced_ = false;
    ++begun_;
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
    take(std::move(outcome));
    changed_.notify_all();
  }
}

void CredentialKeeper::take(Result<Credentials, SourceFault> outcome) {
  const auto now = time_now();
  if (!outcome) {
    ++failures_;
    fault_ = outcome.error().cause;
    schedule_.failed(now);
    log_failure(fault_, credentials_ && !credentials_->expired(now));
    return;
  }
  ++renewals_;
  const bool recovered = !std::exchange(fault_, {}).empty();
  reported_fault_.clear();
  obtained_ = now;
  schedule_.succeeded(now, *outcome, source_->can_change());
  const bool first = credentials_ == nullptr;
  const auto before = std::exchange(source_name_, source_->name());
  if (!first && before != source_name_) {
    // Another source is another identity, which may have other permissions.
    log_.write(Severity::warning, "credentials now come from a different source",
               {{"before", before},
                {"source", source_name_},
                {"hint",
                 "check whether that is intended: the former source may have had none for a "
                 "moment"}});
  }
  const bool others = first || !credentials_->same_keys(*outcome);
  if (others || recovered) log_success(*outcome, first || recovered);
  if (others || credentials_->expires != outcome->expires) {
    credentials_ = std::make_shared<const Credentials>(std::move(outcome).value());
  }
}

void CredentialKeeper::log_success(const Credentials& fresh, bool first) const {
  log_.write(first ? Severity::info : Severity::debug,
             first ? "credentials are available" : "credentials were renewed",
             {{"source", source_->name()},
              {"access_key_id", fresh.access_key_id},
              {"expires_in", seconds_until(fresh.expires)},
              {"expires", fresh.expiration ? signing_time(*fresh.expiration) : "never"}});
}

void CredentialKeeper::log_failure(const std::string& cause, bool valid) {
  const auto now = time_now();
  const bool news =
      cause != reported_fault_ || valid != reported_valid_ || now - reported_at_ >= report_interval;
  if (news) {
    reported_fault_ = cause;
    reported_valid_ = valid;
    reported_at_ = now;
  }
  if (valid) {
    log_.write(news ? Severity::warning : Severity::debug,
               "credentials cannot be renewed: the old ones stay in use",
               {{"source", source_->name()},
                {"cause", cause},
                {"expires_in", seconds_until(credentials_->expires)},
                {"hint", "correct the cause before they expire"}});
    return;
  }
  log_.write(news ? Severity::error : Severity::debug,
             "no valid credentials: updates are held, all other requests are rejected",
             {{"source", source_->name()},
              {"cause", cause},
              {"hint",
               "check [credentials] in the configuration; set source = \"none\" if the endpoint "
               "needs no signatures"}});
}

Result<CredentialsPointer, std::string> CredentialKeeper::current(MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline,
                      [this] { return stopping_ || credentials_ || failures_ > 0; });
  if (credentials_ && !credentials_->expired(time_now())) return credentials_;
  if (stopping_) return Failure{std::string("stopped")};
  const std::string state = credentials_ ? "credentials have expired" : "no credentials";
  return Failure{state + ": " +
                 (fault_.empty() ? "no answer yet from " + source_->name() : fault_)};
}

CredentialsPointer CredentialKeeper::other_than(const CredentialsPointer& refused,
                                                MonotonicTime deadline) {
  std::unique_lock lock(mutex_);
  const auto others = [&]() -> CredentialsPointer {
    const bool good = credentials_ && credentials_ != refused &&
                      !credentials_->same_keys(*refused) && !credentials_->expired(time_now());
    return good ? credentials_ : nullptr;
  };
  if (auto found = others()) return found;
  const auto now = time_now();
  // Credentials about to expire were refused for that, and new ones will be accepted.
  const bool ending = refused->expires && *refused->expires - now < about_to_end;
  const Duration pause = ending ? 1s : between_forced_renewals;
  if (forced_at_ == MonotonicTime::min() || now - forced_at_ >= pause) {
    forced_at_ = now;
    forced_ = true;
    changed_.notify_all();
  }
  // Waits for the outcome of the renewal, this one or the one that another request has just forced.
  const auto outcomes = renewals_ + failures_;
  if (!forced_ && outcomes == begun_) return nullptr;
  const auto awaited = forced_ ? begun_ + 1 : begun_;
  changed_.wait_until(lock, deadline,
                      [&] { return stopping_ || renewals_ + failures_ >= awaited; });
  return others();
}

void CredentialKeeper::renew() {
  const std::lock_guard lock(mutex_);
  forced_ = true;
  changed_.notify_all();
}

CredentialKeeper::State CredentialKeeper::state() const {
  const std::lock_guard lock(mutex_);
  State state;
  state.source = source_->name();
  state.fault = fault_;
  state.obtained = obtained_;
  state.renewals = renewals_;
  state.failures = failures_;
  if (!credentials_) return state;
  state.valid = !credentials_->expired(time_now());
  state.access_key_id = credentials_->access_key_id;
  state.expiration = credentials_->expiration;
  state.expires = credentials_->expires;
  return state;
}

}  // namespace jobs_bridge::aws
