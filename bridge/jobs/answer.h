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
/// A job document, which is a string holding JSON on HTTP, becomes the JSON that it holds, byte for
/// byte, as on MQTT. A document that is not JSON stays a string: the device can then reject the
/// job, whereas an error would leave the job at the head of the queue. Members that are null are
/// left out, since device SDKs use every member that is present; so is an `execution` without
/// members, which means none, and `thingName`, which no reply of AWS contains on MQTT.
///
/// An answer that names another thing than the one that asked, or another job than the one asked
/// for, is never passed on.
Answer read_success(const Request& request, const std::vector<json_text::Member>& members);

/// Whether the members can be the answer to this operation: at least one of the operation's members
/// is present, or its answer may be empty.
bool has_answer_of(Operation operation, const std::vector<json_text::Member>& members);

/// The rejection for an answer that makes no sense. `detail` is for the operator.
Rejection invalid_answer(std::string detail);

}  // namespace jobs_bridge
