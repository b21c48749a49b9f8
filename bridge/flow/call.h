#pragma once

#include <cstdint>

#include "bridge/jobs/http.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Names something that the engine holds: a request of a device or a poll of its own. Never used
/// twice.
using RequestId = std::uint64_t;

/// A call that is to be made now. Its outcome goes to Engine::answered() under the same id,
/// whatever became of it.
struct Call {
  RequestId id = 0;
  /// What it carries out; the describe that reconciles an update, and a poll, have their own.
  Operation operation = Operation::start_next;
  HttpRequest request;
  MonotonicTime deadline;
  bool poll = false;  ///< asked of our own accord, for no request
};

}  // namespace jobs_bridge
