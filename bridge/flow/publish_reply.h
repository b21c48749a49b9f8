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
  /// Of an update that was held: its device was not answered in time.
  bool held = false;
  /// Of an update whose reply may have to be repeated: the fingerprint of its message, see
  /// RecentReplies; 0: none. (32 bits, which fit into padding: thousands of these wait.)
  std::uint32_t fingerprint = 0;
};

/// Publishes the one reply to a request and reports the request as finished. `endpoint_request_id`
/// is the endpoint's id of the call that decided it; empty if no call did.
///
/// A rejection of an update that was held carries no client token. No device waits for it any more,
/// and an unknown token can do harm: AWS IoT Device Client looks the token up without checking that
/// it is present and crashes (JobsFeature.cpp, updateJobExecutionStatusRejectedHandler; its handler
/// of `accepted` does check). Without a token it logs a warning; device SDKs v2 ignore such a reply
/// as they do one with a foreign token; clients that go by the topic read it as usual.
void publish_reply(Now now, ReplyAddress address, const Answer& answer,
                   std::string endpoint_request_id, Effects& effects);

}  // namespace jobs_bridge
