#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/endpoint/job.h"
#include "tests/endpoint/service_error.h"

namespace jobs_endpoint {

/// A request's JSON text as a value. Throws ServiceError (SerializationException) if it is not JSON
/// or nested deeper than any request of this API.
[[nodiscard]] Json parse_json(const std::string& text);

/// A value as an error quotes it: shortened, and an object or a list by its kind alone.
[[nodiscard]] std::string excerpt(const Json& value);

/// The members of a JSON object in a request. Each reader returns nothing where the member is
/// absent or null, and throws ServiceError (InvalidRequestException) naming the member where it is
/// of another type or out of bounds. Unknown members are ignored, as AWS does.
class Members {
 public:
  /// Takes a body; an empty one counts as `{}`. Throws SerializationException if it is no JSON
  /// object.
  [[nodiscard]] static Members of_body(const std::string& body);
  /// Takes a value inside a body; `path` names it in errors. Throws if it is no object.
  Members(Json value, std::string path);

  [[nodiscard]] std::optional<std::string> text(const char* name, std::size_t longest) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const char* name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(const char* name, std::int64_t least,
                                                    std::int64_t most) const;
  [[nodiscard]] std::optional<double> number(const char* name, double least, double most) const;
  [[nodiscard]] std::optional<bool> boolean(const char* name) const;
  [[nodiscard]] std::optional<Members> object(const char* name) const;
  /// The array of that name; null if there is none.
  [[nodiscard]] const Json* array(const char* name) const;
  /// The value of that name, of any type; null pointer if it is absent or null.
  [[nodiscard]] const Json* find(const char* name) const;
  /// At most ten pairs of a name `[a-zA-Z0-9:_-]{1,128}` and a text of 1..1024 characters. The
  /// model's pattern `[^\p{C}]` is not among the rules: AWS has stored lines of output.
  [[nodiscard]] std::optional<StatusDetails> status_details(const char* name) const;

  /// "criteriaList.failureType": how errors call a member.
  [[nodiscard]] std::string path_of(std::string_view name) const;
  [[nodiscard]] const Json& json() const { return value_; }

 private:
  [[nodiscard]] const Json* typed(const char* name, bool (*is_type)(const Json&),
                                  const char* type) const;

  Json value_;
  std::string path_;
};

/// A member that has to be there. Throws ServiceError.
template <typename T>
[[nodiscard]] T required(std::optional<T> value, const std::string& member) {
  if (!value) {
    throw invalid_request("1 validation error detected: Value null at '" + member +
                          "' failed to satisfy constraint: Member must not be null");
  }
  return *std::move(value);
}

/// Query parameters; throw like members.
[[nodiscard]] std::optional<bool> boolean_parameter(const std::optional<std::string>& text,
                                                    const std::string& name);
[[nodiscard]] std::optional<std::int64_t> integer_parameter(const std::optional<std::string>& text,
                                                            const std::string& name);

}  // namespace jobs_endpoint
