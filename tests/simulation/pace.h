#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>

#include "bridge/flow/engine.h"
#include "bridge/jobs/http.h"
#include "bridge/time.h"

namespace jobs_bridge::simulation {

/// Whether the calls of one life of the bridge keep to the quotas and to what an endpoint that is
/// down, or just back, can bear.
class Pace {
 public:
  explicit Pace(const EngineSettings& settings)
      : reads_{settings.reads_per_second, {}}, writes_{settings.writes_per_second, {}} {}

  /// A call begins. `reachable`: what the engine said before.
  void began(MonotonicTime now, RequestId id, QuotaKind kind, bool reachable);
  void ended(MonotonicTime now, RequestId id, const HttpOutcome& outcome, bool reachable_before,
             bool reachable);

 private:
  struct Window {
    double per_second;
    std::deque<MonotonicTime> calls;  ///< within the last second
  };

  Window reads_;
  Window writes_;
  bool was_open_ = false;
  MonotonicTime closed_{};                           ///< if it was
  std::set<RequestId> probes_;                       ///< under way
  std::map<RequestId, MonotonicTime> since_outage_;  ///< calls in flight, that began after it
  std::size_t answers_since_outage_ = 0;
};

}  // namespace jobs_bridge::simulation
