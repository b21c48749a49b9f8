#include "bridge/jobs/reconciliation.h"

#include <map>
#include <string_view>
#include <utility>

#include "bridge/jobs/json_text.h"
#include "bridge/text/parse_number.h"

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

std::string value_of(const std::vector<json_text::Member>& members, std::string_view name) {
  const auto* member = json_text::find(members, name);
  return member == nullptr ? std::string() : std::string(member->value);
}

/// The state only supplements a rejection that is certain: it does not justify more calls than
/// this.
constexpr int max_describes_for_state = 3;

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

/// What a describe returned about the execution: JSON text, empty where it returned nothing.
struct Reconciliation::Execution {
  std::string status;
  std::string details;
  std::string version;
  std::string number;
  std::string queued;
  std::string updated;
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
                     .queued = value_of(*parts, "queuedAt"),
                     .updated = value_of(*parts, "lastUpdatedAt"),
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

namespace {

/// A time stamp: AWS sends whole seconds.
std::optional<double> seconds_in(const std::string& stamp) {
  const auto whole = parse_number<std::int64_t>(std::string_view(stamp).substr(0, stamp.find('.')));
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

}  // namespace

bool Reconciliation::is_as_wanted(const Request& update, const Execution& execution) {
  const auto status = execution.status_text();
  // A value that could not be converted cannot be compared.
  if (!update.unconverted.empty() || status != update.status) return false;
  if (update.status_details &&
      details_in(*update.status_details) != details_in(execution.details)) {
    return false;
  }
  if (!update.expected_version) return true;
  const auto version = parse_number<std::int64_t>(execution.version);
  if (!version) return false;
  // Nothing changes an execution that has ended: the update that ended it was the next version.
  return is_terminal(status) ? *version == *update.expected_version + 1
                             : *version > *update.expected_version;
}

Accepted Reconciliation::accepted(const Request& update, const Execution& execution) {
  json_text::ObjectWriter members;
  if (update.include_job_execution_state.value_or(false)) {
    members.member("executionState", execution.state());
  }
  if (update.include_job_document.value_or(false) && !execution.document.empty()) {
    members.member("jobDocument", execution.document);
  }
  return {std::move(members).members()};
}

std::optional<Reconciliation> Reconciliation::of(const Request& update, const Outcome& outcome,
                                                 bool sent_before) {
  if (update.operation != Operation::update) return std::nullopt;
  const auto& rejection = std::get<Rejection>(outcome.answer);
  const bool for_state = rejection.code == ErrorCode::invalid_state_transition ||
                         rejection.code == ErrorCode::version_mismatch;
  // The rejection of a retry says nothing about the earlier call.
  const bool for_repeat = sent_before && (rejection.code == ErrorCode::terminal_state_reached ||
                                          rejection.code == ErrorCode::invalid_request);
  if (for_state || for_repeat) {
    return Reconciliation(Question::execution_state, sent_before, rejection,
                          update.execution_number);
  }
  if (outcome.applied == Applied::maybe && outcome.repeat != Repeat::useless) {
    return Reconciliation(Question::applied, true, rejection, update.execution_number);
  }
  return std::nullopt;
}

Reconciliation Reconciliation::of_unknown(const Request& update) {
  return {Question::applied, true,
          Rejection{ErrorCode::internal_error,
                    "the gateway was restarted before the endpoint's answer"},
          update.execution_number};
}

Request Reconciliation::describe(const Request& update) const {
  return {.operation = Operation::describe,
          .thing = update.thing,
          .job = update.job,
          .execution_number = execution_number_,
          .include_job_document = may_be_applied_ && update.include_job_document.value_or(false)};
}

Reconciliation::Step Reconciliation::described(const Request& update, const Outcome& outcome,
                                               const Evidence& evidence) {
  if (const auto* accepted = std::get_if<Accepted>(&outcome.answer)) {
    const auto execution = Execution::in(*accepted);
    if (execution && !execution->status_text().empty()) return judge(update, *execution, evidence);
    return without_description(update,
                               invalid_answer("a description without the execution's status"),
                               /*again=*/true);
  }
  // While access is denied it stays unknown whether the update was applied, until somebody changes
  // the policy, as with credentials that are refused. An update that was refused for its state is
  // settled without the description.
  const bool allowed_later = outcome.access_denied && question_ == Question::applied;
  return without_description(update, std::get<Rejection>(outcome.answer),
                             allowed_later || outcome.repeat != Repeat::useless);
}

Reconciliation::Step Reconciliation::without_description(const Request& update,
                                                         const Rejection& rejection, bool again) {
  last_failure_ = rejection.detail.empty() ? rejection.message : rejection.detail;
  if (again) {
    ++failed_describes_;
    if (question_ == Question::applied || failed_describes_ < max_describes_for_state) {
      return Next::describe_later;
    }
  }
  if (question_ == Question::execution_state) return rejection_;
  if (rejection.code == ErrorCode::resource_not_found) return rejection;
  if (rejection.code == ErrorCode::terminal_state_reached) {
    // Some endpoints do not describe finished executions: it is finished, as the update wanted.
    if (ends_execution(update)) return Accepted{};
    return Rejection{ErrorCode::invalid_state_transition, rejection.message};
  }
  return undecided();
}

Rejection Reconciliation::undecided() const {
  auto verdict = rejection_;
  if (question_ != Question::applied) return verdict;
  verdict.message += "; it is not known whether the update was carried out";
  verdict.maybe_applied = true;
  if (!last_failure_.empty()) {
    if (!verdict.detail.empty()) verdict.detail += "; ";
    verdict.detail += "describing the execution failed: " + last_failure_;
  }
  return verdict;
}

Reconciliation::Step Reconciliation::judge(const Request& update, const Execution& execution,
                                           const Evidence& evidence) {
  if (!may_be_applied_) return with_state(update, execution);
  if (execution_number_ != update.execution_number) {
    return judge_before(update, execution, evidence);
  }
  latest_ = parse_number<std::int64_t>(execution.number);
  if (may_have_failed_before(update, execution, evidence)) {
    execution_number_ = *latest_ - 1;
    return Next::describe;
  }
  const auto status = execution.status_text();
  // A describe does not show what the step timer was set to: only the version tells. Without a
  // version the update is sent again, which at most restarts the timer.
  const bool timer_unseen =
      update.step_timeout_in_minutes && !update.expected_version && !is_terminal(status);
  if (is_as_wanted(update, execution) && !(timer_unseen && question_ == Question::applied)) {
    applied_to_ = latest_;
    return accepted(update, execution);
  }
  if (question_ == Question::execution_state) return with_state(update, execution);
  if (is_terminal(status)) return ended_otherwise(execution);
  return Next::send_update;
}

bool Reconciliation::may_have_failed_before(const Request& update, const Execution& latest,
                                            const Evidence& evidence) const {
  if (update.status != "FAILED" || latest.status_text() != "QUEUED" || update.execution_number ||
      !latest_ || *latest_ <= 1) {
    return false;
  }
  // An execution that does not exist yet belonged to another job of the same name.
  if (evidence.execution && *evidence.execution <= *latest_) {
    return *latest_ > *evidence.execution;
  }
  const auto queued = seconds_in(latest.queued);
  // A time stamp of 5 can stand for any moment before 6.
  return !queued || !evidence.first_sent || *queued + 1 > *evidence.first_sent;
}

Reconciliation::Step Reconciliation::judge_before(const Request& update, const Execution& before,
                                                  const Evidence& evidence) {
  const auto lately = [&] {
    const auto updated = seconds_in(before.updated);
    return !updated || !evidence.first_sent ||
           *updated + 1 > *evidence.first_sent - evidence.seconds_before;
  };
  const bool refused = question_ == Question::execution_state;
  if (accepted_) {
    if (before.status_text() == "FAILED" && lately()) return *std::move(accepted_);
    return refused ? Step(rejection_) : Step(Next::send_update);
  }
  if (!is_as_wanted(update, before)) {
    if (refused) return with_state(update, before);
    // Another update failed it, so this one is for the queued execution.
    if (before.status_text() == "FAILED") return Next::send_update;
    return ended_otherwise(before);
  }
  applied_to_ = *latest_ - 1;
  if (evidence.execution || evidence.failures_before == 0) return accepted(update, before);
  // The failures accepted just before account for as many executions; if one more has failed, it
  // was this update.
  const auto further = *execution_number_ - static_cast<std::int64_t>(evidence.failures_before);
  if (further < 1) return refused ? Step(rejection_) : Step(Next::send_update);
  accepted_ = accepted(update, before);
  execution_number_ = further;
  return Next::describe;
}

Rejection Reconciliation::ended_otherwise(const Execution& execution) const {
  return {ErrorCode::invalid_state_transition,
          "the execution has ended with status " + execution.status_text(), rejection_.detail,
          execution.state()};
}

Answer Reconciliation::with_state(const Request& update, const Execution& execution) const {
  auto verdict = rejection_;
  const auto version = parse_number<std::int64_t>(execution.version);
  if (update.expected_version && version && *version != *update.expected_version) {
    verdict.code = ErrorCode::version_mismatch;
  }
  // Only these two codes carry the state.
  if (verdict.code == ErrorCode::invalid_state_transition ||
      verdict.code == ErrorCode::version_mismatch) {
    verdict.execution_state = execution.state();
  }
  return verdict;
}

}  // namespace jobs_bridge
