#include "adapters/https/https_exchange.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "adapters/fibers/moment.h"
#include "adapters/https/request_text.h"
#include "adapters/net/address.h"

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;

MonotonicTime time_now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

HttpsExchange::HttpsExchange(const EndpointSettings& settings, Connector& connector)
    : settings_(settings),
      connector_(connector),
      origin_(net::host_and_port(settings.host, settings.port)),
      protocol_({net::host_header(settings.host, settings.port, settings.tls),
                 settings.max_answer_bytes}) {}

HttpOutcome HttpsExchange::perform(const HttpRequest& request, MonotonicTime deadline) {
  try {
    maybe_sent_ = false;
    suspended_ = fibers::read_moment().suspended;
    HttpOutcome outcome = attempt(request, deadline);
    if (std::holds_alternative<HttpFailure>(outcome)) connection_.reset();
    return outcome;
  } catch (const std::exception& error) {
    connection_.reset();
    try {
      return failure({Kind::broken, error.what()});
    } catch (const std::exception&) {
      return HttpFailure{Kind::broken, maybe_sent_, {}};
    }
  }
}

HttpFailure HttpsExchange::failure(IoFailure cause) const {
  return HttpFailure{cause.kind, maybe_sent_, origin_ + ": " + cause.cause};
}

bool HttpsExchange::connection_usable(MonotonicTime now) {
  return connection_ && now - idle_since_ < settings_.idle_limit &&
         generation_ == connector_.generation() && connection_->quiet();
}

std::optional<IoFailure> HttpsExchange::connect(MonotonicTime deadline) {
  connection_.reset();
  generation_ = connector_.generation();
  auto connection = connector_.connect(std::min(time_now() + settings_.connect_timeout, deadline));
  if (!connection) return connection.error();
  connection_ = std::move(connection).value();
  return std::nullopt;
}

Result<Protocol::Answer, Protocol::NoAnswer> HttpsExchange::send(const HttpRequest& request,
                                                                 MonotonicTime deadline) {
  // The process may have been stopped while connecting, or the machine suspended.
  const auto moment = fibers::read_moment();
  if (moment.now + moment.suspended >= deadline + suspended_) {
    return Failure{Protocol::NoAnswer{
        .failure = {Kind::timeout, "no time left to send the request"}, .began = false}};
  }
  const std::uint64_t before = connection_->bytes_sent();
  // If it throws, it is unknown how much was sent.
  const bool sent_earlier = std::exchange(maybe_sent_, true);
  auto answer = protocol_.exchange(*connection_, request, deadline);
  maybe_sent_ = sent_earlier || connection_->bytes_sent() != before;
  return answer;
}

HttpOutcome HttpsExchange::attempt(const HttpRequest& request, MonotonicTime deadline) {
  if (connector_.stopped()) return failure({Kind::stopped, "stopped"});
  if (auto refusal = refusal_of(request)) {
    return failure({Kind::broken, "request not sent: " + *refusal});
  }
  const MonotonicTime start = time_now();
  if (start >= deadline) return failure({Kind::timeout, "no time left to send the request"});

  const bool kept_alive = connection_usable(start);
  if (!kept_alive) {
    if (auto fault = connect(deadline)) return failure(*std::move(fault));
  }
  const MonotonicTime answer_deadline = std::min(time_now() + settings_.answer_timeout, deadline);
  auto answer = send(request, answer_deadline);
  // The peer may have closed a kept-alive connection just as the request was on its way.
  if (!answer && kept_alive && !answer.error().began &&
      answer.error().failure.kind == Kind::broken && (request.repeatable || !maybe_sent_)) {
    if (auto fault = connect(answer_deadline)) return failure(*std::move(fault));
    answer = send(request, answer_deadline);
  }
  if (!answer) return failure(answer.error().failure);

  if (answer->connection_reusable) {
    idle_since_ = time_now();
  } else {
    connection_.reset();
  }
  return std::move(answer->response);
}

}  // namespace jobs_bridge::https
