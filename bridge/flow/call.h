#pragma once

#include <cstdint>

#include "bridge/jobs/http.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Identifies something that the engine holds: a device's request or a poll of the engine's own.
/// Never reused.
using RequestId = std::uint64_t;

/// A call to be made now. Its outcome, success or failure, goes to Engine::call_ended() under the
/// same id.
struct Call {
  RequestId id = 0;
  /// The operation of this call. The describe that reconciles an update has its own, and so does a
  /// poll.
  Operation operation = Operation::start_next;
  HttpRequest request;
  MonotonicTime deadline;
  bool poll = false;  ///< made by the engine itself, not for a request
};

}  // namespace jobs_bridge
