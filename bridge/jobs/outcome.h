#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/endpoint_fault.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/request.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Whether it helps to make the same call again.
enum class Repeat : std::uint8_t {
  useless,          ///< no: it was carried out, or the Jobs API has refused it
  may_help,         ///< perhaps: the endpoint is unreachable, fails, throttles or answers nonsense
  helps_when_fixed  ///< only after the gateway's credentials or its clock have been corrected
};

/// Whether the endpoint has carried the call out.
enum class Applied : std::uint8_t { no, maybe, yes };

/// Which limit the calls exceeded.
enum class Throttled : std::uint8_t {
  none,
  account,  ///< the gateway's quota: it concerns every call of that kind
  thing     ///< the endpoint is still busy with an earlier call for the same thing
};

/// Whether the endpoint refused the gateway before it looked at the request.
enum class Refusal : std::uint8_t {
  none,
  credentials,  ///< signature, certificate or clock: it would refuse every other call alike
  access,       ///< the gateway lacks the permission, so that fresh credentials would not help
  unexplained   ///< HTTP 401 or 403 that does not say which
};

/// What the outcome of a call tells about the endpoint, independently of the request.
enum class Health : std::uint8_t {
  healthy,     ///< it answers
  throttling,  ///< it answers that the account makes too many calls
  failing,     ///< not reached, no answer, HTTP 5xx, a page of a proxy, or it refuses the gateway
  unknown      ///< the bridge itself ended the call
};

/// Whether the call shows that the endpoint works.
constexpr bool works(Health health) {
  return health == Health::healthy || health == Health::throttling;
}

/// What the outcome of a call means: read once, for all who act on it.
struct Outcome {
  /// What the device is told, unless a further call has a better outcome.
  Answer answer;
  Repeat repeat = Repeat::useless;
  Applied applied = Applied::no;
  Throttled throttled = Throttled::none;
  Refusal refusal = Refusal::none;
  Health health = Health::healthy;
  /// The gateway lacks the permission for this call: what it depends on, the operation or the
  /// thing, a single answer does not tell. `health` is healthy, since the endpoint answers.
  bool access_denied = false;
  /// Of `failing`: every other call would fail in the same way. Either the endpoint was not
  /// reached, or there are no credentials that it accepts.
  bool fails_for_all = false;
  /// False only if no byte of the request can have reached the endpoint.
  bool maybe_sent = true;
  /// How long the endpoint asks to pause; `throttled` tells which calls. Only where HTTP gives
  /// Retry-After a meaning: with throttling, and with outcomes whose `repeat` is may_help.
  std::optional<Duration> retry_after = {};
  /// Why `health` is failing, or access is denied.
  EndpointFault fault_kind = EndpointFault::none;
  /// The same in words, for any device: names status and error, and nothing about the gateway.
  std::string fault = {};
  /// The same for the operator; empty where `fault` says it all.
  std::string fault_detail = {};
};

/// Reads an outcome in either of the two shapes that endpoints use, told apart by the body: AWS's
/// (`{"execution":{...}}`, errors by name) and the enveloped one (`{"success":...}`, whose code
/// counts whatever the HTTP status, but for 429, 401 and 403).
///
/// What counts is where the answer comes from:
/// - An error with a name of the Jobs API is final: the device gets the corresponding code, and the
///   call is never repeated. The same holds for any other error name with an HTTP 4xx that the SDKs
///   do not retry; the device then gets InternalError, after which it may ask again.
/// - What an SDK repeats is repeated: HTTP 408, 421, 425, 429 and 5xx, throttling and timeouts
///   under each of their names.
/// - An error without a name does not come from the Jobs API, which names every error. A 404, 405,
///   409 or 410, and any page that is not JSON, is what a load balancer or a proxy answers when its
///   backend is gone: it is treated like a 503, and never as InvalidStateTransition,
///   TerminalStateReached or ResourceNotFound, upon which devices give a job up. Another status
///   (400, 422, ...) with a JSON object may come from an endpoint that judged the request: it is
///   final.
Outcome read_outcome(const Request& request, const HttpOutcome& outcome);

/// Only the refusal in an answer, for the code that signs, which has to act on it before it passes
/// the answer on. The header x-amzn-ErrorType tells it; the body of an HTTP 4xx is parsed only if
/// that header is absent, which is never so with AWS, and the result is stored in the answer.
Refusal read_refusal(HttpResponse& response);

/// The rejection for a call without an answer.
Rejection no_answer(const HttpFailure& failure);

}  // namespace jobs_bridge
