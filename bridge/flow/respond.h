#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bridge/flow/effects.h"
#include "bridge/jobs/answer.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/rejection.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Where a request's reply goes and what it carries back.
struct ReplyAddress {
  std::string topic;           ///< of the request
  std::string response_topic;  ///< empty: the request's topic and a suffix
  std::string correlation_data;
  std::string content_type;  ///< of the request: the reply is encoded as the request was
  std::string client_token;  ///< JSON text; empty: none
  /// Absent when the topic maps to no operation.
  std::optional<Operation> operation;
  MonotonicTime received;
  std::uint64_t thing = 0;  ///< Publication::thing
};

/// Publishes the one reply to a request and reports the request as finished. `endpoint_request_id`
/// is the endpoint's name for the call that decided it; empty: none did.
void respond(Now now, ReplyAddress address, const Answer& answer, std::string endpoint_request_id,
             Effects& effects);

}  // namespace jobs_bridge
