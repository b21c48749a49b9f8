#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "bridge/jobs/names.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/topic.h"

namespace jobs_bridge {

/// What a device asked for, checked against the limits that the Jobs API documents. A member that
/// the operation does not know is ignored, as AWS does (some device SDKs put `thingName` and
/// `jobId` into the payload); a member that is null counts as absent.
struct Request {
  Operation operation;
  ThingName thing;
  std::optional<JobName> job = {};

  /// JSON object text: at most 10 pairs of strings.
  std::optional<std::string> status_details = {};
  /// 1 to 10080; for an update also -1, which cancels the timer.
  std::optional<std::int64_t> step_timeout_in_minutes = {};
  std::optional<std::int64_t> execution_number = {};
  std::optional<std::int64_t> expected_version = {};
  /// Update: IN_PROGRESS, FAILED, SUCCEEDED or REJECTED.
  std::optional<std::string> status = {};
  std::optional<bool> include_job_document = {};
  std::optional<bool> include_job_execution_state = {};

  /// Whether both ask for the same; statusDetails compare as they are written.
  friend bool operator==(const Request&, const Request&) = default;
};

/// A payload read as the request that its topic announces, or why it is none. Either way the
/// client token, if there was one to read, goes into the reply.
struct DecodedRequest {
  /// The JSON string exactly as the device wrote it, quotes and escapes included; empty: none.
  std::string client_token;
  std::variant<Request, Rejection> content;
};

/// The longest clientToken, in bytes. AWS publishes no limit for Jobs; device libraries are known
/// to send thing name + 10 characters, that is 138.
inline constexpr std::size_t longest_client_token = 256;

/// Reads a request. An empty payload counts as `{}`, as it does on AWS.
DecodedRequest decode_request(TopicRequest topic, std::string_view payload);

/// The client token of a payload that is not read further, as DecodedRequest has it.
std::string find_client_token(std::string_view payload);

}  // namespace jobs_bridge
