#pragma once

#include <string>
#include <variant>

#include "bridge/jobs/http.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/request.h"

namespace jobs_bridge {

/// The operation succeeded. `members` is JSON text, the members of the reply without braces:
/// empty when a start-next found nothing pending.
struct Accepted {
  std::string members;
};

/// What the endpoint's answer means to the device.
using Answer = std::variant<Accepted, Rejection>;

/// Reads an answer in either of the two shapes that endpoints use, told apart by the body: AWS's
/// (`{"execution":{...}}`, errors by name) and the enveloped one (`{"success":...}`).
///
/// A job document, which is a string holding JSON on HTTP, becomes the JSON that it holds, byte
/// for byte; so it is on MQTT. A document that holds no JSON stays a string: the device can still
/// reject the job, where an error would keep the job at the head of its queue for ever. Members
/// that are null are left out, since device SDKs take every member that is present at its word; so
/// is an `execution` without members, which means none, and `thingName`, which no reply of AWS has
/// on MQTT.
///
/// An answer that names another thing than the one that asked, or another job than the one asked
/// for, is never passed on.
Answer read_answer(const Request& request, const HttpOutcome& outcome);

/// Whether the same call may succeed later without anybody doing something about it: the endpoint
/// could not be reached, gave no proper answer, failed (5xx) or throttles. `rejection` is what
/// read_answer() made of `outcome`.
bool may_pass(const HttpOutcome& outcome, const Rejection& rejection);

}  // namespace jobs_bridge
