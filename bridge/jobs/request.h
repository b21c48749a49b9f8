#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/jobs/names.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/rejection.h"
#include "bridge/jobs/topic.h"

namespace jobs_bridge {

/// What a device asked for, in the types that the Jobs API has for it. Device SDKs send numbers and
/// booleans as strings, and the other way round: whatever can be converted is. Whether a value is
/// allowed is for the endpoint to judge. A member that the operation does not know is ignored, as
/// AWS does (some device SDKs put `thingName` and `jobId` into the payload); a member that is null
/// counts as absent.
struct Request {
  Operation operation;
  ThingName thing;
  std::optional<JobName> job = {};

  /// JSON object text, see read_status_details().
  std::optional<std::string> status_details = {};
  std::optional<std::int64_t> step_timeout_in_minutes = {};
  std::optional<std::int64_t> execution_number = {};
  std::optional<std::int64_t> expected_version = {};
  std::optional<std::string> status = {};
  std::optional<bool> include_job_document = {};
  std::optional<bool> include_job_execution_state = {};

  /// A member of this operation that cannot be converted to its type. It is passed to the endpoint
  /// unchanged, which reports what is wrong with it.
  struct Unconverted {
    std::string_view name;  ///< a literal
    std::string value;      ///< JSON text
    friend bool operator==(const Unconverted&, const Unconverted&) = default;
  };
  std::vector<Unconverted> unconverted = {};

  /// Whether both ask for the same; texts are compared byte for byte.
  friend bool operator==(const Request&, const Request&) = default;
};

/// A payload read as the request that its topic announces, or the reason why it is not one. Either
/// way the client token, if it could be read, goes into the reply.
struct DecodedRequest {
  /// The JSON string exactly as the device wrote it, quotes and escapes included; of a number or a
  /// boolean its text as a string; empty: none.
  std::string client_token;
  std::variant<Request, Rejection> content;
};

/// Reads a request. An empty payload counts as `{}`, as it does on AWS. Only what cannot be passed
/// on is rejected: a payload that is not a JSON object, a client token that is an object or a list
/// (it never reaches the endpoint), and a member of a describe that is too long for the URL that it
/// would go into.
DecodedRequest decode_request(TopicRequest topic, std::string_view payload);

/// The client token of a payload that is not decoded further, in the form of
/// DecodedRequest::client_token.
std::string find_client_token(std::string_view payload);

}  // namespace jobs_bridge
