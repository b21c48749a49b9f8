#pragma once

#include <cstdint>

#include "tests/endpoint/http.h"
#include "tests/endpoint/service_error.h"

namespace jobs_endpoint {

/// The two shapes of an answer: AWS's own and the enveloped.
enum class AnswerShape { aws, envelope };

/// An answer to a call that was carried out. Null: no body (in AWS's shape).
[[nodiscard]] HttpAnswer success_answer(const Json& data, AnswerShape shape);
[[nodiscard]] HttpAnswer error_answer(const ServiceError& error, AnswerShape shape);

/// The code that the enveloped shape has for an AWS error type: VALIDATION_ERROR for
/// InvalidRequestException, else the type in capitals without its ending: RESOURCE_NOT_FOUND.
/// What holds no small letter is a code already.
[[nodiscard]] std::string envelope_code(const std::string& error_type);

/// A request id of AWS's form that tells which request it was.
[[nodiscard]] std::string request_id(std::uint64_t number);

}  // namespace jobs_endpoint
