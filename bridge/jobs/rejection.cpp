#include "bridge/jobs/rejection.h"

namespace jobs_bridge {

std::string_view to_string(ErrorCode code) {
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
  return "InternalError";
}

}  // namespace jobs_bridge
