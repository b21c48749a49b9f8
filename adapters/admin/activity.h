#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/admin/heavy_hitters.h"
#include "adapters/admin/recent_errors.h"
#include "adapters/admin/status.h"
#include "adapters/admin/windows.h"
#include "bridge/flow/effects.h"
#include "bridge/flow/observer.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/topic.h"
#include "bridge/time.h"

namespace jobs_bridge::admin {

/// The daemon's recent activity, for the status page: rates, latencies, the busiest things,
/// failures. It takes a fixed amount of memory (about 200 KiB), whatever devices do, and reads no
/// clock. Any thread may call it; an event takes about a microsecond.
class Activity final : public Observer {
 public:
  /// `topics` tells which thing a topic belongs to.
  explicit Activity(TopicGrammar topics);

  void received(Now now) override;
  void call_finished(Now now, Operation operation, const HttpOutcome& outcome, Health health,
                     Duration took) override;
  void decided(Now now, const Effects& effects) override;

  /// Fills in the members that it knows: `requests` except waiting, queue, pausing and held;
  /// `history`; Endpoint::called, answered, cause, kind, hint, denied, down_for, latency and
  /// throttled; Quota::used; `busiest`, `failing`, `errors`.
  void describe(Status& status, Now now) const;

 private:
  /// The name of the thing, or whatever the topic has in that place, cut to the maximum length of a
  /// name.
  [[nodiscard]] std::string_view thing_of(const std::string& topic) const;
  void note_finished(const Finished& finished, Now now);
  void note_rejection(const Finished& finished, Now now);
  void note_endpoint(const EndpointChange& change, Now now);
  void note_access(const AccessChange& change, Now now);

  const TopicGrammar topics_;

  mutable std::mutex mutex_;
  std::uint64_t accepted_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t rejected_queue_full_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t rejected_late_ = 0;
  RateWindow received_;
  RateWindow finished_;
  RateWindow rejections_;
  RateWindow reads_;
  RateWindow writes_;
  RateWindow throttled_;
  LatencyWindow requests_;
  std::vector<LatencyWindow> by_operation_;
  LatencyWindow endpoint_;
  bool called_ = false;
  bool answered_ = false;
  HeavyHitters busiest_;
  HeavyHitters failing_;
  RecentErrors errors_;
  std::optional<MonotonicTime> down_since_;
  std::string down_cause_;
  EndpointFault down_kind_ = EndpointFault::none;
  struct Denied {
    MonotonicTime since{};
    std::string cause;
  };
  std::array<std::optional<Denied>, operation_count> denied_;
};

/// Whether a request was rejected at once because a queue was full. (A request that the endpoint
/// throttles takes a call, and so time.)
bool is_queue_full(const Finished& finished);

}  // namespace jobs_bridge::admin
