#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "adapters/aws/credential_renewal.h"
#include "adapters/aws/credential_source.h"
#include "adapters/aws/credentials.h"
#include "adapters/fibers/condition_variable.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"

namespace jobs_bridge::aws {

/// Keeps the credentials of a source available and renews them before they expire, on a thread of
/// its own. A source that fails leaves the old ones in use as long as they are valid.
/// CredentialRenewal decides; here are the thread, the lock, the clock and the log. Any thread may
/// call it.
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

  using State = CredentialRenewal::State;
  [[nodiscard]] State state() const;

  /// Ends all waits, and the thread. Called by the destructor too.
  void stop();

 private:
  void run();
  void log(const CredentialRenewal::Report& report) const;

  const std::unique_ptr<CredentialSource> source_;
  Log& log_;
  const Duration check_interval_;

  mutable std::mutex mutex_;
  fibers::ConditionVariable
      changed_;  ///< a fetch has ended, a renewal is wanted, or stop() was called
  CredentialRenewal renewal_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jobs_bridge::aws
