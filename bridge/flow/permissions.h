#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bridge/flow/thing_health.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/outcome.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Judges whether the endpoint denies the gateway an operation, or denies it for some things only.
/// Such an endpoint answers, so it is not down (see Circuit), and yet serves no device.
///
/// A policy allows operations and things, and a single answer does not tell which of them it lacks.
/// So an operation counts as denied once calls of it were denied for
/// - every thing for which one was allowed within the last ten minutes; if there is no such thing,
/// a
///   single denial is enough (see ThingHealth); or
/// - four different things with none allowed in between.
/// It counts as allowed again once any call of it is.
/// Not thread-safe; time must not go backwards.
class Permissions {
 public:
  struct Change {
    Operation operation = Operation::start_next;
    bool denied = false;
  };
  /// A call for that thing ended. What it changes, if anything.
  std::optional<Change> ended(MonotonicTime now, Operation operation, std::string_view thing,
                              const Outcome& outcome);

  /// Whether every operation that was tried lately is denied, so that no device is served.
  [[nodiscard]] bool denies_all(MonotonicTime now) const;

 private:
  struct Evidence {
    ThingHealth things;
    bool denied = false;
    std::optional<MonotonicTime> allowed_at = {};  ///< the last time
    std::vector<std::uint64_t> denied_since = {};  ///< different things since then; at most four
  };

  std::array<Evidence, operation_count> operations_;
};

}  // namespace jobs_bridge
