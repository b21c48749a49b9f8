#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/credentials.h"
#include "adapters/aws/renewal_schedule.h"
#include "bridge/flow/random.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::aws {

/// Decides when the credentials of a source are fetched, which ones are in use, what a caller gets
/// whose credentials were refused, and what the log says of it. It fetches nothing and waits for
/// nothing: CredentialKeeper does, and so does the simulation. Deterministic; not thread-safe.
///
/// Fetches are numbered from 1 and made one after another: begin_fetch(), then take() its outcome.
class CredentialRenewal {
 public:
  explicit CredentialRenewal(const Random& random) : schedule_(random) {}

  /// When to fetch next. MonotonicTime::min(): now; MonotonicTime::max(): never.
  [[nodiscard]] MonotonicTime due() const {
    return forced_ ? MonotonicTime::min() : schedule_.due();
  }
  void begin_fetch();

  /// What the log says of an outcome.
  struct Report {
    enum class Kind : std::uint8_t {
      nothing,         ///< the same credentials as before
      available,       ///< the first ones, or the first after a failure
      renewed,         ///< others than before
      old_ones_serve,  ///< the source gave none, and the old ones are valid
      none_valid,      ///< the source gave none, and there are no valid ones
    };
    Kind kind = Kind::nothing;
    /// A failure that was reported less than five minutes ago in the same words.
    bool repeated = false;
    /// The source of the credentials before, if it is another one.
    std::optional<std::string> former_source = {};
  };
  /// `source`: its name. `can_change`: see CredentialSource::can_change().
  Report take(MonotonicTime now, Result<Credentials, SourceFault> outcome, std::string source,
              bool can_change);

  /// Whether a fetch has had an outcome, which is all that a caller of current() waits for.
  [[nodiscard]] bool has_answer() const { return outcomes() > 0; }
  /// The credentials in use; null if there are none that are valid.
  [[nodiscard]] CredentialsPointer current(MonotonicTime now) const;
  /// Why there are none, for the operator. `source`: its name.
  [[nodiscard]] std::string why_none(const std::string& source) const;

  /// What a caller gets whose credentials were refused: `credentials` at once, or those that
  /// others() knows when the outcome of the fetch number `awaited` has been taken, or, without
  /// either, none.
  struct Others {
    CredentialsPointer credentials = nullptr;
    std::optional<std::uint64_t> awaited = {};
    bool forced = false;  ///< a fetch has become due for this caller
  };
  /// However many callers there are, a renewal is forced at most every ten seconds, or every second
  /// if `refused` are about to expire anyway.
  Others other_than(MonotonicTime now, const CredentialsPointer& refused);
  [[nodiscard]] bool has_outcome(std::uint64_t fetch) const { return outcomes() >= fetch; }
  /// The credentials in use if they are valid and others than `refused`, or null.
  [[nodiscard]] CredentialsPointer others(MonotonicTime now,
                                          const CredentialsPointer& refused) const;

  /// Makes a fetch due now, however recent the last one is.
  void renew() { forced_ = true; }

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
  /// `source`: its name.
  [[nodiscard]] State state(MonotonicTime now, std::string source) const;

 private:
  [[nodiscard]] std::uint64_t outcomes() const { return renewals_ + failures_; }
  Report failed(MonotonicTime now, const std::string& cause);

  RenewalSchedule schedule_;
  CredentialsPointer credentials_;
  std::string source_name_;  ///< of credentials_
  std::string fault_;
  /// The failure that was reported last, and when.
  std::string reported_fault_;
  bool reported_valid_ = false;
  MonotonicTime reported_at_{};
  std::optional<MonotonicTime> obtained_;
  std::uint64_t renewals_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t begun_ = 0;  ///< number of fetches begun
  bool forced_ = false;      ///< a renewal is wanted now
  std::optional<MonotonicTime> forced_at_;
};

}  // namespace jobs_bridge::aws
