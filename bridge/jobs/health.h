#pragma once

#include <optional>

#include "bridge/jobs/http.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// What a call's outcome says about the endpoint, whatever it says about the request.
enum class Health {
  well,       ///< it answers
  throttles,  ///< it answers that there were too many calls
  ill,        ///< it could not be reached, did not answer, failed (5xx) or refuses the gateway
  unknown,    ///< the call was ended by ourselves
};
Health health_of(const HttpOutcome& outcome);

/// How long the endpoint asks to be left alone, from Retry-After: seconds, or a date, which is
/// taken relative to the answer's own Date (RFC 9110, 10.2.3).
std::optional<Duration> retry_after(const HttpOutcome& outcome);

}  // namespace jobs_bridge
