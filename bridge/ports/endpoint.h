#pragma once

#include <memory>

#include "bridge/jobs/http.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// One connection to the endpoint: used by one caller at a time, carries out one request after
/// another and keeps the connection alive between them.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Returns when the complete answer has arrived, at the latest at `deadline`. Blocks the caller's
  /// thread until then, or its fiber if it runs on one. Never throws.
  virtual HttpOutcome perform(const HttpRequest& request, MonotonicTime deadline) = 0;
};

/// The endpoint that connections are opened to. Any thread may call it.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// Cheap: connects when the first request is performed. The Endpoint outlives what it returns.
  virtual std::unique_ptr<Exchange> open() = 0;
  /// Ends every request in progress, and every later one, at once with HttpFailure::Kind::stopped.
  virtual void stop() = 0;
};

}  // namespace jobs_bridge
