#include "adapters/aws/http_query.h"

#include <utility>
#include <variant>

namespace jobs_bridge::aws {

Result<HttpResponse, HttpFailure> HttpQuery::ask(const Origin& origin, const HttpRequest& request,
                                                 MonotonicTime deadline) {
  auto opened = open_(origin);
  if (!opened) return Failure{HttpFailure{HttpFailure::Kind::connect, false, opened.error()}};
  const std::shared_ptr<Endpoint> server = std::move(opened).value();
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return Failure{HttpFailure{HttpFailure::Kind::stopped, false, "stopped"}};
    asked_ = server;
  }
  auto outcome = server->open()->perform(request, deadline);
  {
    const std::lock_guard lock(mutex_);
    asked_.reset();
  }
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) return Failure{*failure};
  return std::get<HttpResponse>(std::move(outcome));
}

void HttpQuery::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (asked_) asked_->stop();
}

}  // namespace jobs_bridge::aws
