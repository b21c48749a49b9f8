#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "bridge/jobs/http.h"
#include "bridge/ports/endpoint.h"
#include "bridge/ports/origin.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::aws {

/// Queries servers that issue credentials. Queries are rare, so each opens its server anew and uses
/// certificates that were replaced on disk. ask() is called by one thread, stop() by any.
class HttpQuery {
 public:
  explicit HttpQuery(OpenOrigin open) : open_(std::move(open)) {}

  /// The answer, whatever its status; a failure names host and cause.
  Result<HttpResponse, HttpFailure> ask(const Origin& origin, const HttpRequest& request,
                                        MonotonicTime deadline);
  void stop();

 private:
  const OpenOrigin open_;
  std::mutex mutex_;
  std::shared_ptr<Endpoint> asked_;  ///< while a query is under way
  bool stopped_ = false;
};

}  // namespace jobs_bridge::aws
