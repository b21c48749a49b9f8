#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bridge/jobs/rejection.h"

namespace jobs_bridge {

/// The payload of an `accepted` reply, in the order observed from AWS: `clientToken` if the request
/// had one, `timestamp` in seconds, the answer's members. `members` and `client_token` are JSON
/// text and are copied byte for byte; both may be empty.
std::string accepted_payload(std::string_view members, std::string_view client_token,
                             std::int64_t unix_seconds);

/// The payload of a `rejected` reply (AWS IoT developer guide, jobs-api, ErrorResponse).
std::string rejected_payload(const Rejection& rejection, std::string_view client_token,
                             std::int64_t unix_seconds);

}  // namespace jobs_bridge
