#include "bridge/jobs/reconciliation.h"

#include <map>
#include <string_view>
#include <utility>

#include "bridge/jobs/call.h"
#include "bridge/jobs/endpoint_error.h"
#include "bridge/jobs/json_text.h"
#include "bridge/jobs/whole_number.h"

namespace jobs_bridge {
namespace {

/// Terminal states (AWS IoT developer guide, iot-jobs-lifecycle): nothing leads out of them.
bool is_terminal(std::string_view status) {
  return status != "QUEUED" && status != "IN_PROGRESS";
}

/// Whether the update is one to a terminal state that a device may set.
bool ends_execution(const Request& update) {
  return update.status == "SUCCEEDED" || update.status == "FAILED" || update.status == "REJECTED";
}

/// Whether the endpoint may have carried out an update that it gave no proper answer to.
bool may_have_been_applied(const HttpOutcome& outcome) {
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    return failure->maybe_sent && failure->kind != HttpFailure::Kind::stopped;
  }
  const int status = std::get<HttpResponse>(outcome).status;
  return status >= 500 || (status >= 200 && status < 300);
}

std::string value_of(const std::vector<json_text::Member>& members, std::string_view name) {
  const auto* member = json_text::find(members, name);
  return member == nullptr ? std::string() : std::string(member->value);
}

/// The state is an extra to a refusal that is known: it is not worth more calls than this.
constexpr int most_looks_for_state = 3;

using Details = std::map<std::string, std::string>;

/// Keys and values with their escapes resolved: the endpoint may write them in another way and in
/// another order than the device did. Absent and empty are the same.
Details details_in(std::string_view text) {
  Details details;
  const auto members = json_text::members_of(text);
  if (!members) return details;
  for (const auto& [key, value] : *members) {
    auto name = json_text::decode_string("\"" + std::string(key) + "\"");
    auto content = json_text::is_string(value) ? json_text::decode_string(value) : std::nullopt;
    details[std::move(name).value_or(std::string(key))] =
        std::move(content).value_or(std::string(value));
  }
  return details;
}

}  // namespace

/// What a describe told of the execution: JSON text, empty where it told nothing.
struct Reconciliation::Execution {
  std::string status;
  std::string details;
  std::string version;
  std::string number;
  std::string document;

  static std::optional<Execution> in(const Accepted& described) {
    const std::string reply = "{" + described.members + "}";
    const auto members = json_text::members_of(reply);
    if (!members) return std::nullopt;
    const auto* execution = json_text::find(*members, "execution");
    if (execution == nullptr) return std::nullopt;
    const auto parts = json_text::members_of(execution->value);
    if (!parts) return std::nullopt;
    return Execution{.status = value_of(*parts, "status"),
                     .details = value_of(*parts, "statusDetails"),
                     .version = value_of(*parts, "versionNumber"),
                     .number = value_of(*parts, "executionNumber"),
                     .document = value_of(*parts, "jobDocument")};
  }

  /// JobExecutionState (AWS IoT developer guide, jobs-mqtt-api).
  [[nodiscard]] std::string state() const {
    json_text::ObjectWriter writer;
    if (!status.empty()) writer.member("status", status);
    if (!details.empty()) writer.member("statusDetails", details);
    if (!version.empty()) writer.member("versionNumber", version);
    return std::move(writer).object();
  }

  [[nodiscard]] std::string status_text() const {
    if (!json_text::is_string(status)) return {};
    return json_text::decode_string(status).value_or("");
  }
};

std::optional<Reconciliation> Reconciliation::of(const Request& update, const HttpOutcome& outcome,
                                                 const Rejection& refusal, bool sent_before) {
  if (update.operation != Operation::update) return std::nullopt;
  const bool for_state = refusal.code == ErrorCode::invalid_state_transition ||
                         refusal.code == ErrorCode::version_mismatch;
  // What a repeat is refused for says nothing about the call before it.
  const bool for_repeat = sent_before && (refusal.code == ErrorCode::terminal_state_reached ||
                                          refusal.code == ErrorCode::invalid_request);
  if (for_state || for_repeat) {
    return Reconciliation(Question::execution_state, sent_before, refusal, update.execution_number);
  }
  if (refusal.code == ErrorCode::internal_error && may_have_been_applied(outcome)) {
    return Reconciliation(Question::applied, true, refusal, update.execution_number);
  }
  return std::nullopt;
}

Reconciliation Reconciliation::of_unknown(const Request& update) {
  return {Question::applied, true,
          Rejection{ErrorCode::internal_error,
                    "the gateway was restarted before the endpoint's answer"},
          update.execution_number};
}

HttpRequest Reconciliation::call(const Request& update) const {
  const Request describe{
      .operation = Operation::describe,
      .thing = update.thing,
      .job = update.job,
      .execution_number = execution_number_,
      .include_job_document = may_be_applied_ && update.include_job_document.value_or(false)};
  return build_call(describe);
}

Reconciliation::Step Reconciliation::described(const Request& update, const HttpOutcome& outcome) {
  Request describe = update;
  describe.operation = Operation::describe;
  const auto answer = read_answer(describe, outcome);
  if (const auto* accepted = std::get_if<Accepted>(&answer)) {
    const auto execution = Execution::in(*accepted);
    if (execution && !execution->status_text().empty()) return judge(update, *execution);
    return without_description(
        update, outcome, {ErrorCode::internal_error, "the endpoint did not give a proper answer"});
  }
  return without_description(update, outcome, std::get<Rejection>(answer));
}

Reconciliation::Step Reconciliation::without_description(const Request& update,
                                                         const HttpOutcome& outcome,
                                                         const Rejection& rejection) {
  if (may_pass(outcome, rejection) || refuses_credentials(outcome)) {
    ++failed_looks_;
    if (question_ == Question::applied || failed_looks_ < most_looks_for_state) {
      return Next::describe_later;
    }
  }
  if (question_ == Question::execution_state) return refusal_;
  if (rejection.code == ErrorCode::resource_not_found) return rejection;
  if (rejection.code == ErrorCode::terminal_state_reached) {
    // Endpoints that do not describe finished executions: it is finished, and that is what the
    // update was for.
    if (ends_execution(update)) return Accepted{};
    return Rejection{ErrorCode::invalid_state_transition, rejection.message};
  }
  auto verdict = undecided();
  verdict.detail += verdict.detail.empty() ? "" : "; ";
  verdict.detail += "asked for the execution: ";
  verdict.detail += rejection.detail.empty() ? rejection.message : rejection.detail;
  return verdict;
}

Rejection Reconciliation::undecided() const {
  auto verdict = refusal_;
  if (question_ == Question::applied) {
    verdict.message += "; whether the update was carried out is not known";
  }
  return verdict;
}

Reconciliation::Step Reconciliation::judge(const Request& update, const Execution& execution) {
  if (!may_be_applied_) return with_state(update, execution);

  const auto version = whole_number<std::int64_t>(execution.version);
  const auto number = whole_number<std::int64_t>(execution.number);
  const auto status = execution.status_text();
  // A failed execution with retries is followed by a new one, queued, which the endpoint describes
  // in its place: the one before is the one that was updated.
  if (update.status == "FAILED" && status == "QUEUED" && !execution_number_ && number &&
      *number > 1) {
    execution_number_ = *number - 1;
    return Next::describe;
  }
  // What could not be converted is nothing to compare with.
  const bool as_wanted =
      update.unconverted.empty() && status == update.status &&
      (!update.status_details ||
       details_in(*update.status_details) == details_in(execution.details)) &&
      (!update.expected_version || (version && *version > *update.expected_version));
  // What a step timer was set to cannot be seen: the version alone tells, and without one the
  // update is sent again, which can do no more than set the timer anew.
  const bool timer_unseen =
      update.step_timeout_in_minutes && !update.expected_version && !is_terminal(status);
  if (as_wanted && !(timer_unseen && question_ == Question::applied)) {
    json_text::ObjectWriter members;
    if (update.include_job_execution_state.value_or(false)) {
      members.member("executionState", execution.state());
    }
    if (update.include_job_document.value_or(false) && !execution.document.empty()) {
      members.member("jobDocument", execution.document);
    }
    return Accepted{std::move(members).members()};
  }
  if (question_ == Question::execution_state) return with_state(update, execution);
  if (is_terminal(status)) {
    return Rejection{ErrorCode::invalid_state_transition,
                     "the execution has ended with status " + status, refusal_.detail,
                     execution.state()};
  }
  return Next::send_update;
}

Answer Reconciliation::with_state(const Request& update, const Execution& execution) const {
  auto verdict = refusal_;
  const auto version = whole_number<std::int64_t>(execution.version);
  if (update.expected_version && version && *version != *update.expected_version) {
    verdict.code = ErrorCode::version_mismatch;
  }
  // A device is told the state with these two codes and no other.
  if (verdict.code == ErrorCode::invalid_state_transition ||
      verdict.code == ErrorCode::version_mismatch) {
    verdict.execution_state = execution.state();
  }
  return verdict;
}

}  // namespace jobs_bridge
