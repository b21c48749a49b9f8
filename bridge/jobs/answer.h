#pragma once

#include <string>
#include <variant>
#include <vector>

#include "bridge/jobs/json_text.h"
#include "bridge/jobs/operation.h"
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

/// Reads the members of a success: of the body, or of what an envelope holds as `data`.
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
Answer read_success(const Request& request, const std::vector<json_text::Member>& members);

/// Whether they can be the answer to this operation: one of its members is among them, or there is
/// nothing to say.
bool has_answer_of(Operation operation, const std::vector<json_text::Member>& members);

/// What a device hears of an answer without sense. `detail` is for the operator.
Rejection nonsense(std::string detail);

}  // namespace jobs_bridge
