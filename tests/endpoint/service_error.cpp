#include "tests/endpoint/service_error.h"

#include <utility>

namespace jobs_endpoint {

ServiceError::ServiceError(int status, std::string type, const std::string& message, Json members)
    : std::runtime_error(message),
      status_(status),
      type_(std::move(type)),
      members_(std::move(members)) {}

ServiceError invalid_request(const std::string& message) {
  return {400, "InvalidRequestException", message};
}

ServiceError resource_not_found(const std::string& message) {
  return {404, "ResourceNotFoundException", message};
}

ServiceError invalid_state_transition(const std::string& message) {
  return {409, "InvalidStateTransitionException", message};
}

ServiceError terminal_state(const std::string& message) {
  return {410, "TerminalStateException", message};
}

ServiceError throttling() {
  return {429, "ThrottlingException", "Rate exceeded"};
}

ServiceError unknown_operation(const std::string& message) {
  return {404, "UnknownOperationException", message};
}

ServiceError constraint_violation(const std::string& member, const std::string& value,
                                  const std::string& constraint) {
  return invalid_request("1 validation error detected: Value '" + value + "' at '" + member +
                         "' failed to satisfy constraint: " + constraint);
}

std::string usual_type(int status) {
  switch (status) {
    case 400:
      return "InvalidRequestException";
    case 401:
      return "UnauthorizedException";
    case 403:
      return "AccessDeniedException";
    case 404:
      return "ResourceNotFoundException";
    case 409:
      return "InvalidStateTransitionException";
    case 410:
      return "TerminalStateException";
    case 429:
      return "ThrottlingException";
    case 500:
      return "InternalServerException";
    case 503:
      return "ServiceUnavailableException";
    default:
      return {};
  }
}

}  // namespace jobs_endpoint
