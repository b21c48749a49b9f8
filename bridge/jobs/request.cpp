#include "bridge/jobs/request.h"

#include <utility>

#include "bridge/jobs/json_text.h"
#include "bridge/jobs/status_details.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge {
namespace {

/// The longest value in a URL, in bytes: every byte may take three, and servers commonly allow 8
/// KiB for the whole line.
constexpr std::size_t max_in_url = 256;

bool is_number_or_boolean(std::string_view value) {
  return !json_text::is_string(value) && !json_text::is_object(value) &&
         !json_text::is_array(value) && !json_text::is_null(value);
}

/// Takes a payload's members one by one, each as the type that the Jobs API has for it.
class Reader {
 public:
  Reader(const std::vector<json_text::Member>& members, Request& request)
      : members_(members), request_(request) {}

  std::optional<std::int64_t> integer(std::string_view name) {
    return converted(name, [](std::string_view value) {
      std::string storage;
      const auto text = text_of(value, storage);
      return text ? parse_number<std::int64_t>(*text) : std::nullopt;
    });
  }

  std::optional<bool> boolean(std::string_view name) {
    return converted(name, [](std::string_view value) -> std::optional<bool> {
      std::string storage;
      const auto text = text_of(value, storage);
      if (text == "true") return true;
      if (text == "false") return false;
      return std::nullopt;
    });
  }

  std::optional<std::string> text(std::string_view name) {
    return converted(name, [](std::string_view value) -> std::optional<std::string> {
      std::string storage;
      const auto text = text_of(value, storage);
      return text ? std::optional<std::string>(*text) : std::nullopt;
    });
  }

  std::optional<std::string> status_details() {
    return converted("statusDetails", read_status_details);
  }

 private:
  /// The content of a string, or the text of a number or boolean; nothing for any other type.
  static std::optional<std::string_view> text_of(std::string_view value, std::string& storage) {
    if (is_number_or_boolean(value)) return value;
    if (!json_text::is_string(value)) return std::nullopt;
    return json_text::decode(value.substr(1, value.size() - 2), storage);
  }

  template <typename Convert>
  auto converted(std::string_view name, Convert convert) -> decltype(convert(name)) {
    const auto* member = json_text::find(members_, name);
    if (member == nullptr) return std::nullopt;
    auto value = convert(member->value);
    if (!value) request_.unconverted.push_back({name, std::string(member->value)});
    return value;
  }

  const std::vector<json_text::Member>& members_;
  Request& request_;
};

void read_members(const std::vector<json_text::Member>& members, Request& request) {
  Reader reader(members, request);
  switch (request.operation) {
    case Operation::get_pending:
      break;
    case Operation::start_next:
      request.status_details = reader.status_details();
      request.step_timeout_in_minutes = reader.integer("stepTimeoutInMinutes");
      break;
    case Operation::describe:
      request.execution_number = reader.integer("executionNumber");
      request.include_job_document = reader.boolean("includeJobDocument");
      break;
    case Operation::update:
      request.status = reader.text("status");
      request.status_details = reader.status_details();
      request.expected_version = reader.integer("expectedVersion");
      request.execution_number = reader.integer("executionNumber");
      request.include_job_execution_state = reader.boolean("includeJobExecutionState");
      request.include_job_document = reader.boolean("includeJobDocument");
      request.step_timeout_in_minutes = reader.integer("stepTimeoutInMinutes");
      break;
  }
}

/// Nothing if there is a client token that is an object or a list.
std::optional<std::string> client_token(const std::vector<json_text::Member>& members) {
  const auto* member = json_text::find(members, "clientToken");
  if (member == nullptr) return std::string();
  if (json_text::is_string(member->value)) return std::string(member->value);
  if (!is_number_or_boolean(member->value)) return std::nullopt;
  return '"' + std::string(member->value) + '"';
}

Rejection invalid(std::string message) {
  return {ErrorCode::invalid_request, std::move(message)};
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
  auto token = client_token(*members);
  if (!token) return {.client_token = {}, .content = invalid("clientToken must be a string")};
  Request request{
      .operation = topic.operation, .thing = std::move(topic.thing), .job = std::move(topic.job)};
  read_members(*members, request);
  if (request.operation == Operation::describe) {
    for (const auto& [name, value] : request.unconverted) {
      if (value.size() <= max_in_url) continue;
      return {.client_token = *std::move(token),
              .content = invalid(std::string(name) + " has " + std::to_string(value.size()) +
                                 " bytes; the limit is " + std::to_string(max_in_url))};
    }
  }
  return {.client_token = *std::move(token), .content = std::move(request)};
}

std::string find_client_token(std::string_view payload) {
  const auto members = json_text::members_of(payload);
  return members ? client_token(*members).value_or("") : std::string();
}

}  // namespace jobs_bridge
