#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {

/// The name and message of an error answer, in any of the known shapes. Parsed once, since the body
/// may be long.
struct ErrorBody {
  enum class Shape {
    page,      ///< not a JSON object: from a load balancer or a proxy, or empty
    plain,     ///< a JSON object, as AWS has it: `{"__type","message"}`
    envelope,  ///< `{"success":false,"error":{"code","message"}}`
    success,   ///< `{"success":true}`, which an error cannot be
  };
  Shape shape = Shape::page;
  /// `ResourceNotFoundException` or `JOB_NOT_FOUND`; empty: the error has no name.
  std::string name;
  /// With secrets removed; empty if there is none.
  std::string message;
};

/// Reads an error. `error_type` is the header x-amzn-ErrorType, empty if there was none. The name
/// is looked for where the AWS SDKs look: header, then the body's `code`, then `__type` (botocore
/// `parsers.py`, BaseRestParser and BaseJSONParser); of an envelope it is the error's `code`,
/// whatever the header says.
ErrorBody read_error(std::string_view error_type, std::string_view body);

/// The same for a body whose members are already parsed.
ErrorBody read_error(std::string_view error_type, const std::vector<json_text::Member>& members);

/// The kind of envelope, which the member `success` tells, in any position; plain if there is no
/// envelope.
ErrorBody::Shape shape_of(const std::vector<json_text::Member>& members);

}  // namespace jobs_bridge
