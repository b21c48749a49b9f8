#pragma once

#include <string>
#include <string_view>

namespace jobs_bridge {

/// The closed set of codes that a `rejected` reply can contain (AWS IoT developer guide, jobs-api,
/// ErrorResponse). Device SDKs know these and no others, so nothing else is ever sent.
enum class ErrorCode {
  invalid_topic,
  invalid_json,
  invalid_request,
  invalid_state_transition,
  resource_not_found,
  version_mismatch,
  internal_error,
  request_throttled,
  terminal_state_reached,
};

/// The code as written in the reply; empty for a value outside the enumeration.
constexpr std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_topic:
      return "InvalidTopic";
    case ErrorCode::invalid_json:
      return "InvalidJson";
    case ErrorCode::invalid_request:
      return "InvalidRequest";
    case ErrorCode::invalid_state_transition:
      return "InvalidStateTransition";
    case ErrorCode::resource_not_found:
      return "ResourceNotFound";
    case ErrorCode::version_mismatch:
      return "VersionMismatch";
    case ErrorCode::internal_error:
      return "InternalError";
    case ErrorCode::request_throttled:
      return "RequestThrottled";
    case ErrorCode::terminal_state_reached:
      return "TerminalStateReached";
  }
  return {};
}

/// Why a request is rejected, in two texts: one for the device, which is not trusted with details
/// of the gateway, and one for its operator, who may also see what the endpoint says about the
/// gateway itself (account, role, host).
struct Rejection {
  ErrorCode code = ErrorCode::internal_error;
  std::string message;
  /// For the log; empty where `message` says it all.
  std::string detail = {};
  /// JSON text of the execution's state, for the two codes that carry it (invalid_state_transition
  /// and version_mismatch); empty: the reply has no such member.
  std::string execution_state = {};
  /// Of an update: it is not known whether the endpoint has carried it out.
  bool maybe_applied = false;
};

}  // namespace jobs_bridge
