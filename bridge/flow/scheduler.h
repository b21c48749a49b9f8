#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "bridge/flow/call.h"
#include "bridge/flow/circuit.h"
#include "bridge/flow/effects.h"
#include "bridge/flow/notifier.h"
#include "bridge/flow/quota.h"
#include "bridge/flow/random.h"
#include "bridge/flow/request_table.h"
#include "bridge/jobs/outcome.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Decides when a call may be made, and for whom: what the quotas and the endpoint's state allow,
/// and the order among describes that reconcile, polls and the requests in their lanes. Not
/// thread-safe; time must not go backwards.
class Scheduler {
 public:
  /// Maximum calls per second; 0: no limit. `failing_alone_calls`: maximum number of calls in
  /// flight for things that fail alone.
  Scheduler(double reads_per_second, double writes_per_second, std::size_t failing_alone_calls)
      : reads_(reads_per_second),
        writes_(writes_per_second),
        failing_alone_calls_(failing_alone_calls) {}

  /// What comes next: a request, which must now be begun, or a poll.
  struct Turn {
    std::variant<RequestId, Call> what;
    bool fails_alone = false;  ///< for a thing that fails alone: see Circuit
  };
  /// A poll gets the given id.
  std::optional<Turn> next(Now now, RequestTable& requests, Notifier& notifier, RequestId poll,
                           Effects& effects);
  /// When next() has something to return, in the present state.
  [[nodiscard]] MonotonicTime next_at(MonotonicTime now, const RequestTable& requests,
                                      const Notifier& notifier) const;
  /// From now on no call is begun for a held update.
  void stop_held_calls() { held_allowed_ = false; }

  /// The call whose turn it was is being made.
  void called(MonotonicTime now, RequestId call, std::string_view thing, QuotaKind kind,
              bool fails_alone);
  /// A call ended. True if that opens the circuit: see Circuit.
  bool ended(MonotonicTime now, RequestId call, std::string_view thing, QuotaKind kind,
             const Outcome& outcome, const RequestTable& requests, Random& random,
             Effects& effects);

  /// Time passed; to be called at next_tick(), if that is something.
  void tick(MonotonicTime now, Effects& effects);
  [[nodiscard]] std::optional<MonotonicTime> next_tick() const;

  void set_limits(MonotonicTime now, double reads_per_second, double writes_per_second);

  [[nodiscard]] const Quota& quota(QuotaKind kind) const {
    return kind == QuotaKind::reads ? reads_ : writes_;
  }
  [[nodiscard]] const Circuit& circuit() const { return circuit_; }

 private:
  Quota& quota(QuotaKind kind) { return kind == QuotaKind::reads ? reads_ : writes_; }
  std::optional<Turn> take_turn(const Lanes::Allowed& allowed, RequestTable& requests);
  /// `suspected`: for things whose last call failed as well.
  [[nodiscard]] Lanes::Allowed allowed(MonotonicTime now, bool suspected) const;
  [[nodiscard]] MonotonicTime next_at(MonotonicTime now, const RequestTable& requests,
                                      const Notifier& notifier, Lanes::Allowed whom,
                                      MonotonicTime circuit_at) const;
  void count(MonotonicTime now, RequestId call, QuotaKind kind, const Outcome& outcome,
             Effects& effects);

  Quota reads_;
  Quota writes_;
  std::size_t failing_alone_calls_;
  Circuit circuit_;
  bool held_allowed_ = true;  ///< calls for updates that are held
};

}  // namespace jobs_bridge
