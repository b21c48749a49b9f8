#pragma once

#include <string>
#include <vector>

#include "adapters/admin/status.h"

namespace jobs_bridge::admin {

/// Something that an operator should know, and what to do about it.
struct Reason {
  std::string code;  ///< for programs: a word of [a-z_]
  std::string message;
  std::string hint;
  /// Of the broker's or the endpoint's fault, also a word of [a-z0-9_]; empty if there is none.
  std::string kind = {};
};

/// The assessment of a Status.
struct Verdict {
  std::vector<Reason> reasons;   ///< why requests are not being served; the worst first
  std::vector<Reason> warnings;  ///< what works for now, but not as it should

  [[nodiscard]] bool ready() const { return reasons.empty(); }
};

/// Ready: messages flow from the broker and to it (a canary has come back; without a canary: it is
/// connected and grants the subscriptions), the self-test on the Jobs topics has not shown that
/// requests or replies do not get through, the endpoint is not down and does not deny
/// the gateway everything, there are credentials if
/// requests are signed, and the journal, if there is one, can be written.
Verdict readiness(const Status& status);

}  // namespace jobs_bridge::admin
