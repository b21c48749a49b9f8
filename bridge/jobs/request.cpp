#include "bridge/jobs/request.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "bridge/jobs/json_text.h"
#include "bridge/jobs/status_details.h"
#include "bridge/jobs/whole_number.h"

namespace jobs_bridge {
namespace {

constexpr std::int64_t longest_step_timeout = 10080;  // seven days
constexpr std::array<std::string_view, 4> statuses = {"IN_PROGRESS", "FAILED", "SUCCEEDED",
                                                      "REJECTED"};

/// Takes a payload's members one by one, remembering the first thing wrong with them.
class Reader {
 public:
  explicit Reader(const std::vector<json_text::Member>& members) : members_(members) {}

  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

  [[nodiscard]] const json_text::Member* find(std::string_view name) const {
    return json_text::find(members_, name);
  }

  void fail(std::string message) {
    if (!fault_) fault_ = std::move(message);
  }

  /// `exception` ends the message: what is allowed outside the range.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t lowest,
                                      std::int64_t highest, std::string_view exception = {}) {
    const auto* member = find(name);
    if (member == nullptr) return std::nullopt;
    return in_range(name, whole_number<std::int64_t>(member->value), lowest, highest, exception);
  }

  /// The AWS documentation shows expectedVersion as a string and its embedded SDK sends one; the
  /// other SDKs send a number.
  std::optional<std::int64_t> integer_or_string(std::string_view name, std::int64_t lowest,
                                                std::int64_t highest) {
    const auto* member = find(name);
    if (member == nullptr) return std::nullopt;
    auto text = member->value;
    if (json_text::is_string(text)) text = text.substr(1, text.size() - 2);
    return in_range(name, whole_number<std::int64_t>(text), lowest, highest);
  }

  std::optional<bool> boolean(std::string_view name) {
    const auto* member = find(name);
    if (member == nullptr) return std::nullopt;
    if (member->value == "true") return true;
    if (member->value == "false") return false;
    fail(std::string(name) + " must be true or false");
    return std::nullopt;
  }

  std::optional<std::string> status_details() {
    const auto* member = find("statusDetails");
    if (member == nullptr) return std::nullopt;
    if (auto fault = status_details_fault(member->value)) fail(*std::move(fault));
    return std::string(member->value);
  }

  std::optional<std::string> status() {
    const auto* member = find("status");
    if (member == nullptr) {
      fail("status is required: IN_PROGRESS, FAILED, SUCCEEDED or REJECTED");
      return std::nullopt;
    }
    if (json_text::is_string(member->value)) {
      auto text = json_text::decode_string(member->value);
      if (text && std::ranges::find(statuses, *text) != statuses.end()) return text;
    }
    fail("status must be IN_PROGRESS, FAILED, SUCCEEDED or REJECTED");
    return std::nullopt;
  }

 private:
  std::optional<std::int64_t> in_range(std::string_view name, std::optional<std::int64_t> number,
                                       std::int64_t lowest, std::int64_t highest,
                                       std::string_view exception = {}) {
    if (number && *number >= lowest && *number <= highest) return number;
    fail(std::string(name) + " must be an integer from " + std::to_string(lowest) + " to " +
         std::to_string(highest) + std::string(exception));
    return std::nullopt;
  }

  const std::vector<json_text::Member>& members_;
  std::optional<std::string> fault_;
};

std::optional<std::int64_t> step_timeout(Reader& reader, bool cancellable) {
  constexpr std::string_view name = "stepTimeoutInMinutes";
  const auto* member = reader.find(name);
  if (cancellable && member != nullptr && member->value == "-1") return -1;
  return reader.integer(name, 1, longest_step_timeout,
                        cancellable ? ", or -1 to cancel the timer" : "");
}

void read_members(Reader& reader, Request& request) {
  constexpr auto any = std::numeric_limits<std::int64_t>::max();
  switch (request.operation) {
    case Operation::get_pending:
      break;
    case Operation::start_next:
      request.status_details = reader.status_details();
      request.step_timeout_in_minutes = step_timeout(reader, /*cancellable=*/false);
      break;
    case Operation::describe:
      request.execution_number = reader.integer("executionNumber", 0, any);
      request.include_job_document = reader.boolean("includeJobDocument");
      break;
    case Operation::update:
      request.status = reader.status();
      request.status_details = reader.status_details();
      request.expected_version = reader.integer_or_string("expectedVersion", 0, any);
      request.execution_number = reader.integer("executionNumber", 0, any);
      request.include_job_execution_state = reader.boolean("includeJobExecutionState");
      request.include_job_document = reader.boolean("includeJobDocument");
      request.step_timeout_in_minutes = step_timeout(reader, /*cancellable=*/true);
      break;
  }
}

/// Returns the token's text; reports one that cannot be used. One that is too long is still given
/// back, so that the device that sent it can tell whose rejection it hears.
std::string client_token(Reader& reader) {
  const auto* member = reader.find("clientToken");
  if (member == nullptr) return {};
  if (!json_text::is_string(member->value)) {
    reader.fail("clientToken must be a string");
    return {};
  }
  const auto content = member->value.substr(1, member->value.size() - 2);
  std::string storage;
  const auto length = json_text::decode(content, storage).value_or(content).size();
  if (length > longest_client_token) {
    reader.fail("clientToken has " + std::to_string(length) + " bytes; the limit is " +
                std::to_string(longest_client_token));
  }
  return std::string(member->value);
}

}  // namespace

DecodedRequest decode_request(TopicRequest topic, std::string_view payload) {
  const auto members = json_text::members_of(payload.empty() ? "{}" : payload);
  if (!members) {
    return {.client_token = {},
            .content = Rejection{ErrorCode::invalid_json,
                                 "payload is not a JSON object: " + members.error().message +
                                     " at byte " + std::to_string(members.error().offset)}};
  }
  Reader reader(*members);
  auto token = client_token(reader);
  Request request{
      .operation = topic.operation, .thing = std::move(topic.thing), .job = std::move(topic.job)};
  read_members(reader, request);
  if (reader.fault()) {
    return {.client_token = std::move(token),
            .content = Rejection{ErrorCode::invalid_request, *reader.fault()}};
  }
  return {.client_token = std::move(token), .content = std::move(request)};
}

std::string find_client_token(std::string_view payload) {
  const auto members = json_text::members_of(payload);
  if (!members) return {};
  Reader reader(*members);
  return client_token(reader);
}

}  // namespace jobs_bridge
