#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {

/// What an error answer says in words, in whichever shape. Read once, since the body may be long.
struct ErrorBody {
  enum class Shape {
    page,      ///< no JSON object: of a load balancer, a proxy, or nobody
    plain,     ///< a JSON object, as AWS has it: `{"__type","message"}`
    envelope,  ///< `{"success":false,"error":{"code","message"}}`
    success,   ///< `{"success":true}`, which an error cannot be
  };
  Shape shape = Shape::page;
  /// `ResourceNotFoundException` or `JOB_NOT_FOUND`; empty: the error has no name.
  std::string name;
  /// Without what nobody may read; empty: there is none.
  std::string message;
};

/// Reads an error. `error_type` is the header x-amzn-ErrorType, empty if there was none. The name
/// is looked for where the AWS SDKs look: header, then the body's `code`, then `__type` (botocore
/// `parsers.py`, BaseRestParser and BaseJSONParser); of an envelope it is the error's `code`,
/// whatever the header says.
ErrorBody read_error(std::string_view error_type, std::string_view body);

/// The same of a body whose members are known.
ErrorBody read_error(std::string_view error_type, const std::vector<json_text::Member>& members);

/// Which envelope a body is in, told by its `success`, wherever that stands; plain: in none.
ErrorBody::Shape shape_of(const std::vector<json_text::Member>& members);

}  // namespace jobs_bridge
