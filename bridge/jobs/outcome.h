#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/request.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// What becomes of the same call if it is made again.
enum class Repeat : std::uint8_t {
  useless,           ///< the same: it was carried out, or the Jobs API has refused it
  may_help,          ///< nobody knows: the endpoint is away, fails, throttles or talks nonsense
  helps_when_mended  ///< it may succeed once the gateway's credentials, or its clock, are in order
};

/// Whether the endpoint has carried the call out.
enum class Applied : std::uint8_t { no, maybe, yes };

/// Whose calls there were too many of.
enum class Throttled : std::uint8_t {
  nobody,
  account,  ///< the gateway's quota: it concerns every call of that kind
  thing     ///< the endpoint is still busy with a call before, for the same thing
};

/// Whether the endpoint turned the gateway away before it looked at what was asked.
enum class Refusal : std::uint8_t {
  none,
  credentials,  ///< signature, certificate or clock: it would refuse every other call alike
  access,       ///< the gateway may not do this, with these credentials or fresh ones
  unexplained   ///< HTTP 401 or 403 that does not say which
};

/// What a call tells of the endpoint, whatever it tells of the request.
enum class Health : std::uint8_t {
  healthy,     ///< it answers
  throttling,  ///< it answers that the account makes too many calls
  failing,     ///< not reached, no answer, HTTP 5xx, a page of somebody else, or it refuses us
  unknown      ///< the call was ended by ourselves
};

/// What the outcome of a call means: read once, for all who act on it.
struct Outcome {
  /// What the device hears, unless another call does better.
  Answer answer;
  Repeat repeat = Repeat::useless;
  Applied applied = Applied::no;
  Throttled throttled = Throttled::nobody;
  Refusal refusal = Refusal::none;
  Health health = Health::healthy;
  /// Of `failing`: every other call would fail alike, whatever it is for. Nobody was reached, or
  /// there are no credentials that the endpoint takes.
  bool fails_for_all = false;
  /// False only if no byte of the request can have reached the endpoint.
  bool maybe_sent = true;
  /// How long the endpoint asks not to be called again, and for what: see `throttled`. Only where
  /// HTTP gives Retry-After a meaning: with throttling, and with what `may_help`.
  std::optional<Duration> retry_after = {};
  /// Why `health` is failing, for any device: names status and error, nothing of the gateway's.
  std::string fault = {};
  /// The same for the operator; empty where `fault` says it all.
  std::string fault_detail = {};
};

/// Reads an outcome in either of the two shapes that endpoints use, told apart by the body: AWS's
/// (`{"execution":{...}}`, errors by name) and the enveloped one (`{"success":...}`, whose code
/// counts whatever the HTTP status, but for 429, 401 and 403).
///
/// Who has spoken decides:
/// - An error that the Jobs API names is its last word: the device hears the code that it stands
///   for, and the call is never repeated. So with any other name of an HTTP 4xx that the SDKs do
///   not repeat; the device hears InternalError, for which it may ask again.
/// - What an SDK repeats is repeated: HTTP 408, 421, 425, 429 and 5xx, throttling and timeouts
/// under
///   each of their names.
/// - An error without a name is not the Jobs API's, which names each. A 404, 405, 409 or 410, and
///   any page that is no JSON, is what a load balancer or a proxy says when there is nobody behind
///   it: as good as a 503, and never InvalidStateTransition, TerminalStateReached or
///   ResourceNotFound, upon which devices give a job up. Another status (400, 422, ...) with a JSON
///   object may be of an endpoint that judged the request: it is final.
Outcome read_outcome(const Request& request, const HttpOutcome& outcome);

/// The refusal in an answer alone, for whoever signs, who has to act on it before the answer goes
/// on its way. It is told by the header x-amzn-ErrorType; the body of an HTTP 4xx is read only if
/// there is none, which AWS does not do, and what it says goes on with the answer.
Refusal read_refusal(HttpResponse& response);

/// What it means that there was no answer.
Rejection no_answer(const HttpFailure& failure);

}  // namespace jobs_bridge
