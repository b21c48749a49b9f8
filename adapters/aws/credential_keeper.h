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
#include "bridge/ports.h"
#include "bridge/result.h"

namespace jobs_bridge::aws {

/// Keeps the credentials of a source at hand and renews them ahead of their end, on a thread of its
/// own. A source that fails leaves the old ones in use as long as they are valid. Any thread may
/// call it.
class CredentialKeeper {
 public:
  /// Begins to fetch at once. `log` must outlive it. `between_looks`: how often it looks whether a
  /// better source has returned.
  CredentialKeeper(std::unique_ptr<CredentialSource> source, std::uint64_t seed, Log& log,
                   Duration between_looks = std::chrono::seconds(10));
  ~CredentialKeeper();
  CredentialKeeper(const CredentialKeeper&) = delete;
  CredentialKeeper& operator=(const CredentialKeeper&) = delete;

  /// Valid credentials. Waits, until `deadline` at most, only for the very first answer of the
  /// source; an error says for the operator why there are none.
  Result<CredentialsPointer, std::string> current(MonotonicTime deadline);

  /// Others than `refused`, which the endpoint does not take: those that have come meanwhile, or
  /// the outcome of a renewal that is begun for this, and waited for until `deadline` at most. Null
  /// if there are none. However many ask, renewals are not forced more often than every ten
  /// seconds, or every second if `refused` are about to end anyway.
  CredentialsPointer other_than(const CredentialsPointer& refused, MonotonicTime deadline);

  /// Asks the source again now, in the background; the old credentials stay in use meanwhile.
  void renew();

  struct State {
    std::string source;
    bool valid = false;                      ///< there are credentials that have not expired
    std::string access_key_id;               ///< of those there are; no secret
    std::optional<std::int64_t> expiration;  ///< in seconds since 1970; absent: they do not end
    std::optional<MonotonicTime> expires;
    std::optional<MonotonicTime> obtained;  ///< when the source last gave some
    std::string fault;                      ///< why it last gave none; empty: it did
    std::uint64_t renewals = 0;             ///< how often it gave some, ever
    std::uint64_t failures = 0;             ///< how often it gave none, ever
  };
  [[nodiscard]] State state() const;

  /// Ends every wait, and the thread. Called by the destructor too.
  void stop();

 private:
  void run();
  void take(Result<Credentials, SourceFault> outcome);
  void log_success(const Credentials& fresh, bool first) const;
  void log_failure(const std::string& cause, bool valid) const;

  const std::unique_ptr<CredentialSource> source_;
  Log& log_;
  const Duration between_looks_;

  mutable std::mutex mutex_;
  fibers::ConditionVariable changed_;  ///< an outcome has come, or a wish to renew, or the end
  RenewalSchedule schedule_;
  CredentialsPointer credentials_;
  std::string source_name_;  ///< of credentials_
  std::string fault_;
  std::optional<MonotonicTime> obtained_;
  std::uint64_t renewals_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t begun_ = 0;  ///< fetches that were begun
  bool forced_ = false;      ///< a renewal is wanted now
  MonotonicTime forced_at_ = MonotonicTime::min();
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jobs_bridge::aws
