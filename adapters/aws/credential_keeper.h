#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/credentials.h"
#include "adapters/aws/renewal_schedule.h"
#include "adapters/fibers/condition_variable.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"

namespace jobs_bridge::aws {

/// Keeps the credentials of a source available and renews them before they expire, on a thread of
/// its own. A source that fails leaves the old ones in use as long as they are valid. Any thread
/// may call it.
class CredentialKeeper {
 public:
  /// Begins to fetch at once. `log` must outlive it. `check_interval`: the interval at which it
  /// checks whether a preferred source is available again.
  CredentialKeeper(std::unique_ptr<CredentialSource> source, std::uint64_t seed, Log& log,
                   Duration check_interval = std::chrono::seconds(10));
  ~CredentialKeeper();
  CredentialKeeper(const CredentialKeeper&) = delete;
  CredentialKeeper& operator=(const CredentialKeeper&) = delete;

  /// Valid credentials. Waits, until `deadline` at most, only for the very first answer of the
  /// source; the error tells the operator why there are none.
  Result<CredentialsPointer, std::string> current(MonotonicTime deadline);

  /// Credentials other than `refused`, which the endpoint does not accept: those obtained
  /// meanwhile, or the result of a renewal started for this, which is awaited until `deadline` at
  /// most. Null if there are none. However many callers there are, a renewal is forced at most
  /// every ten seconds, or every second if `refused` are about to expire anyway.
  CredentialsPointer other_than(const CredentialsPointer& refused, MonotonicTime deadline);

  /// Queries the source again now, in the background; the old credentials stay in use meanwhile.
  void renew();

  struct State {
    std::string source;
    bool valid = false;                      ///< there are credentials that have not expired
    std::string access_key_id;               ///< of the present ones; not secret
    std::optional<std::int64_t> expiration;  ///< in seconds since 1970; absent: they do not expire
    std::optional<MonotonicTime> expires;
    std::optional<MonotonicTime> obtained;  ///< when the source last gave some
    std::string fault;           ///< why the source last gave none; empty: it did give some
    std::uint64_t renewals = 0;  ///< how often it gave some, total
    std::uint64_t failures = 0;  ///< how often it gave none, total
  };
  [[nodiscard]] State state() const;

  /// Ends all waits, and the thread. Called by the destructor too.
  void stop();

 private:
  void run();
  void take(Result<Credentials, SourceFault> outcome);
  void log_success(const Credentials& fresh, bool first) const;
  void log_failure(const std::string& cause, bool valid);

  const std::unique_ptr<CredentialSource> source_;
  Log& log_;
  const Duration check_interval_;

  mutable std::mutex mutex_;
  fibers::ConditionVariable
      changed_;  ///< a fetch has ended, a renewal is wanted, or stop() was called
  RenewalSchedule schedule_;
  CredentialsPointer credentials_;
  std::string source_name_;  ///< of credentials_
  std::string fault_;
  /// The failure that was logged last, and when.
  std::string reported_fault_;
  bool reported_valid_ = false;
  MonotonicTime reported_at_{};
  std::optional<MonotonicTime> obtained_;
  std::uint64_t renewals_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t begun_ = 0;  ///< number of fetches begun
  bool forced_ = false;      ///< a renewal is wanted now
  MonotonicTime forced_at_ = MonotonicTime::min();
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jobs_bridge::aws
