#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "adapters/aws/credential_renewal.h"
#include "adapters/aws/credential_source.h"
#include "adapters/aws/credentials.h"
#include "bridge/result.h"
#include "bridge/time.h"
#include "tests/simulation/agenda.h"
#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// What calls are signed with: credentials of a short life, from a source that may give none for a
/// while, and that the endpoint may refuse before their end. What becomes of them the daemon's own
/// CredentialRenewal decides; here is what its thread does, in virtual time. Judged here:
/// - credentials do not end while their source gives new ones, and serve until they end;
/// - the source is never asked without a pause, however many calls are refused;
/// - a call waits for the first answer or for one renewal, and no longer;
/// - it gets no credentials that have ended, nor those that were refused;
/// - it gets others once there are: a source that gives accepted ones again has been asked for them
///   ten seconds later at the latest (a renewal may have been forced just before). A call that is
///   refused after that gets them within two fetches, if it has so long.
class CredentialsModel {
 public:
  /// `agenda` must outlive it.
  CredentialsModel(Agenda& agenda, Duration life, std::uint64_t seed);

  /// A process begins, with none.
  void begin(MonotonicTime now);
  /// It ends, and with it all that waits.
  void end();

  /// Given what there is, or null.
  using Ready = std::function<void(const aws::CredentialsPointer&)>;
  /// For a call: now, or once the source has answered for the first time, or at the deadline.
  void current(MonotonicTime now, MonotonicTime deadline, Ready ready);
  struct Refusal {
    aws::CredentialsPointer credentials;
    MonotonicTime signed_at;
    MonotonicTime heard_at;
    MonotonicTime deadline;  ///< the call's
  };
  /// For a call whose credentials the endpoint has refused: others, now or later.
  void other_than(const Refusal& refusal, Ready ready);
  /// Whether the endpoint does.
  [[nodiscard]] bool accepts(MonotonicTime now, const aws::Credentials& credentials) const;

  void set_failing(MonotonicTime now, bool failing);
  /// The endpoint accepts none of those that were given until now. For a while the source may still
  /// give the same, as one that keeps them does, if these do not end soon.
  void revoke(MonotonicTime now, Duration kept);
  /// The endpoint accepts none for a while.
  void accept_none(MonotonicTime now, Duration duration) { none_until_ = now + duration; }
  /// The source gives new ones from now on, and the endpoint accepts them.
  void end_faults(MonotonicTime now);

  /// How often the source was asked.
  [[nodiscard]] std::uint64_t fetches() const { return fetches_; }

 private:
  using Outcome = Result<aws::Credentials, aws::SourceFault>;
  struct Waiter {
    std::uint64_t number;
    std::optional<std::uint64_t> awaited;  ///< nothing: the first answer
    std::function<void(MonotonicTime)> over;
  };

  void run(MonotonicTime now);
  void fetch(MonotonicTime now);
  [[nodiscard]] Outcome ask_source(MonotonicTime now);
  void take(MonotonicTime now, Outcome outcome);
  void wait(MonotonicTime now, Waiter waiter, MonotonicTime deadline);
  [[nodiscard]] bool is_over(const Waiter& waiter) const;
  [[nodiscard]] aws::CredentialsPointer judged_current(MonotonicTime now) const;
  [[nodiscard]] aws::CredentialsPointer judged_others(MonotonicTime now, const Refusal& refusal,
                                                      aws::CredentialsPointer found) const;
  void judge_forced(MonotonicTime now, const aws::Credentials& refused);
  /// Fetches that begin from then on bring accepted ones, as long as nothing else happens.
  [[nodiscard]] MonotonicTime good_since() const;

  Agenda& agenda_;
  Duration life_;
  Dice dice_;
  std::uint64_t process_ = 0;
  std::optional<aws::CredentialRenewal> renewal_;

  // Source and endpoint.
  bool failing_ = false;
  MonotonicTime failed_until_{};
  std::uint64_t issued_ = 0;              ///< so many, and each has its number
  std::optional<aws::Credentials> last_;  ///< of those
  std::uint64_t revoked_ = 0;             ///< up to that number
  MonotonicTime revoked_at_{};
  MonotonicTime kept_until_{};
  MonotonicTime none_until_{};
  std::uint64_t fetches_ = 0;

  // Of this process.
  MonotonicTime began_{};
  MonotonicTime planned_ = MonotonicTime::max();  ///< when run() is called next
  bool fetching_ = false;
  bool forced_ = false;  ///< and has not begun
  std::optional<MonotonicTime> forced_at_;
  std::optional<MonotonicTime> answered_at_;  ///< the last time
  bool failed_ = false;                       ///< then
  std::optional<aws::Credentials> given_;     ///< the last ones
  std::vector<Waiter> waiters_;
  std::uint64_t next_waiter_ = 0;
};

}  // namespace jobs_bridge::simulation
