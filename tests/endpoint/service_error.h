#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace jobs_endpoint {

using Json = nlohmann::ordered_json;

/// An error as AWS IoT answers it: thrown wherever an operation finds one, turned into an answer
/// in one place (Endpoint). It never leaves the emulator's core as an exception.
class ServiceError : public std::runtime_error {
 public:
  ServiceError(int status, std::string type, const std::string& message, Json members = {});

  [[nodiscard]] int status() const { return status_; }
  /// AWS's name of it, "InvalidRequestException".
  [[nodiscard]] const std::string& type() const { return type_; }
  /// Members of the answer's body in addition to `message`; null: none.
  [[nodiscard]] const Json& members() const { return members_; }

 private:
  int status_;
  std::string type_;
  Json members_;
};

[[nodiscard]] ServiceError invalid_request(const std::string& message);
[[nodiscard]] ServiceError resource_not_found(const std::string& message);
[[nodiscard]] ServiceError invalid_state_transition(const std::string& message);
[[nodiscard]] ServiceError terminal_state(const std::string& message);
[[nodiscard]] ServiceError throttling();
[[nodiscard]] ServiceError unknown_operation(const std::string& message);

/// A member whose value breaks a rule, in the words that AWS uses for it.
[[nodiscard]] ServiceError constraint_violation(const std::string& member, const std::string& value,
                                                const std::string& constraint);

/// The type that AWS IoT gives an error of this status when nothing else is known; empty for a
/// status that is no error of the Jobs API.
[[nodiscard]] std::string usual_type(int status);

}  // namespace jobs_endpoint
