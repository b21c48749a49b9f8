#pragma once

#include <cstdint>
#include <optional>

#include "adapters/aws/credentials.h"
#include "adapters/aws/renewal_schedule.h"
#include "bridge/time.h"
#include "tests/simulation/agenda.h"
#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// What calls are signed with: credentials of a short life, which are renewed when the daemon's
/// schedule says, from a source that may give none for a while. That they do not end while their
/// source gives new ones is judged here.
class CredentialsModel {
 public:
  /// `agenda` must outlive it.
  CredentialsModel(Agenda& agenda, Duration life, std::uint64_t seed);

  /// A process begins, with none.
  void begin(MonotonicTime now);
  void set_failing(bool failing) { failing_ = failing; }

  /// How long a call waits for the source's first answer.
  [[nodiscard]] Duration wait(MonotonicTime now) const;
  /// Whether it can be signed then.
  [[nodiscard]] bool sign(MonotonicTime now) const {
    return first_answer_ ? !failing_first_ : credentials_ && !credentials_->expired(now);
  }

 private:
  void fetch(MonotonicTime now);
  void take(MonotonicTime now, bool failed);

  Agenda& agenda_;
  Duration life_;
  Dice dice_;
  bool failing_ = false;
  std::uint64_t process_ = 0;
  std::optional<aws::RenewalSchedule> schedule_;
  std::optional<aws::Credentials> credentials_;
  std::optional<MonotonicTime> first_answer_;  ///< while there has been none
  bool failing_first_ = false;                 ///< it will be that there are none
  bool failed_ = false;                        ///< the last time
};

}  // namespace jobs_bridge::simulation
