#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jobs_endpoint {

/// `[a-zA-Z0-9:_-]{1,128}` (AWS API model iot-jobs-data, shape ThingName).
[[nodiscard]] bool is_thing_name(std::string_view text);
/// `[a-zA-Z0-9_-]{1,64}` (AWS API model iot-jobs-data, shape JobId).
[[nodiscard]] bool is_job_id(std::string_view text);

/// Throw a ServiceError (InvalidRequestException) that names the member.
void require_thing_name(std::string_view text);
void require_job_id(std::string_view text);

/// The thing in `arn:<partition>:iot:<region>:<account>:thing/<name>`; nothing if it is not the
/// ARN of a thing with a valid name.
[[nodiscard]] std::optional<std::string> thing_of_arn(std::string_view arn);

/// The ARN of a job in the place (partition, region, account) of a thing's ARN.
[[nodiscard]] std::string job_arn_beside(std::string_view thing_arn, std::string_view job_id);
/// The ARN of a thing in the place of a job's ARN.
[[nodiscard]] std::string thing_arn_beside(std::string_view job_arn, std::string_view thing);

/// The ARN of a thing where the emulator itself makes it up.
[[nodiscard]] std::string thing_arn(std::string_view thing);

/// How many Unicode characters valid UTF-8 holds: what the API's length limits count.
[[nodiscard]] std::size_t character_count(std::string_view utf8);

/// Whether every character is outside Unicode's category C (`[^\p{C}]`): no control, format,
/// surrogate or private-use character, no noncharacter. Code points that Unicode has not assigned
/// yet pass.
[[nodiscard]] bool has_only_visible_characters(std::string_view utf8);

}  // namespace jobs_endpoint
