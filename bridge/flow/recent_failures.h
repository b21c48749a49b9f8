#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "bridge/flow/partition.h"
#include "bridge/jobs/request.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// The updates to FAILED that were accepted in the last seconds. If the service retries a failed
/// job, the next update to FAILED of the same job applies to another execution: see Reconciliation.
/// Memory grows with the rate of such updates. Not thread-safe; time must not go backwards.
class RecentFailures {
 public:
  /// Longer than the uncertainty of time stamps in whole seconds.
  static constexpr Duration window = std::chrono::seconds(10);

  /// An update was accepted that was carried out after `began`, on the given execution if that is
  /// known. Only failures are kept, and those of a job are dropped when it ends otherwise: no
  /// execution follows then, and a later job of the same name numbers its executions anew.
  void accepted(MonotonicTime now, MonotonicTime began, const Request& update,
                std::optional<std::int64_t> execution) {
    while (!failures_.empty() && failures_.front().accepted < now - window) failures_.pop_front();
    if (is_failure(update)) {
      failures_.push_back(
          {.accepted = now, .began = began, .key = key_of(update), .execution = execution});
    } else if (update.job && (update.status == "SUCCEEDED" || update.status == "REJECTED")) {
      std::erase_if(failures_, [key = key_of(update)](const auto& one) { return one.key == key; });
    }
  }

  /// The failures of the same job in the window before an update that is sent now.
  struct Before {
    /// The execution that the update is for, if the failures determine it.
    std::optional<std::int64_t> execution = {};
    /// Otherwise: how many there were, and since when.
    std::size_t count = 0;
    Duration since{};
  };
  [[nodiscard]] Before before(MonotonicTime now, const Request& update) const {
    Before before;
    if (!is_failure(update)) return before;
    const auto key = key_of(update);
    for (const auto& failure : failures_) {
      if (failure.key != key || failure.accepted < now - window) continue;
      if (failure.execution) {
        before.execution = *failure.execution + 1;
      } else if (before.execution) {
        ++*before.execution;
      } else {
        if (before.count++ == 0) before.since = now - failure.began;
      }
    }
    return before;
  }

 private:
  struct Failure {
    MonotonicTime accepted;
    MonotonicTime began;
    std::uint64_t key;
    std::optional<std::int64_t> execution;
  };
  static bool is_failure(const Request& update) { return update.status == "FAILED" && update.job; }
  static std::uint64_t key_of(const Request& update) {
    return name_hash(update.thing.text() + "/" + update.job->text());
  }

  std::deque<Failure> failures_;
};

}  // namespace jobs_bridge
