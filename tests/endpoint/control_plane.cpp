#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "tests/endpoint/members.h"
#include "tests/endpoint/names.h"
#include "tests/endpoint/operations.h"
#include "tests/endpoint/shapes.h"

namespace jobs_endpoint {
namespace {

// Limits of AWS's API model iot, 2015-05-28.
constexpr std::size_t longest_document = 32768;
constexpr std::size_t longest_description = 2028;
constexpr std::size_t longest_comment = 2028;
constexpr std::size_t longest_reason = 128;
constexpr std::size_t longest_arn = 2048;
constexpr std::int64_t longest_timeout_minutes = 10080;
constexpr int max_retries = 10;

/// What would change what the job does, and is not played here: refused rather than ignored.
constexpr std::array<const char*, 5> unsupported = {
    "documentSource", "jobTemplateArn", "namespaceId", "schedulingConfig", "documentParameters"};

/// What DescribeJob shows as it was given. The rollout's rate and the signing of URLs have no
/// effect here.
constexpr std::array<const char*, 5> echoed = {"presignedUrlConfig", "jobExecutionsRolloutConfig",
                                               "abortConfig", "timeoutConfig",
                                               "jobExecutionsRetryConfig"};

std::shared_ptr<const std::vector<std::string>> targets_member(const Members& members) {
  const Json* list = members.array("targets");
  if (list == nullptr || list->empty()) {
    throw constraint_violation("targets", list == nullptr ? "null" : "[]",
                               "Member must have length greater than or equal to 1");
  }
  auto targets = std::make_shared<std::vector<std::string>>();
  for (const Json& target : *list) {
    if (!target.is_string() || target.get_ref<const std::string&>().size() > longest_arn) {
      throw constraint_violation("targets", excerpt(target),
                                 "Member must be a string of at most 2048 characters");
    }
    if (!thing_of_arn(target.get_ref<const std::string&>())) {
      throw constraint_violation(
          "targets", target.get<std::string>(),
          "Member must be the ARN of a thing, arn:aws:iot:REGION:ACCOUNT:thing/NAME (jobs-endpoint "
          "has no thing groups)");
    }
    targets->push_back(target.get<std::string>());
  }
  return targets;
}

std::string document_member(const Members& members) {
  std::string document = required(members.text("document", longest_document), "document");
  if (!Json::accept(document)) {
    throw constraint_violation("document", excerpt(document), "Member must be valid JSON");
  }
  return document;
}

std::optional<std::string> visible_text(const Members& members, const char* name,
                                        std::size_t longest) {
  auto text = members.text(name, longest);
  if (text && !has_only_visible_characters(*text)) {
    throw constraint_violation(members.path_of(name), *text,
                               "Member must satisfy regular expression pattern: [^\\p{C}]+");
  }
  return text;
}

RetryLimits retries_member(const Members& members) {
  RetryLimits limits;
  const auto config = members.object("jobExecutionsRetryConfig");
  if (!config) return limits;
  const Json* list = config->array("criteriaList");
  if (list == nullptr || list->empty() || list->size() > 2) {
    throw constraint_violation(config->path_of("criteriaList"),
                               list == nullptr ? "null" : excerpt(*list),
                               "Member must have 1 or 2 entries");
  }
  std::vector<std::string> seen;
  for (const Json& entry : *list) {
    const Members criterion(entry, config->path_of("criteriaList"));
    const std::string path = criterion.path_of("failureType");
    const auto type = required(criterion.text("failureType", 64), path);
    const auto retries =
        static_cast<int>(required(criterion.integer("numberOfRetries", 0, max_retries),
                                  criterion.path_of("numberOfRetries")));
    if (std::find(seen.begin(), seen.end(), type) != seen.end() ||
        (!seen.empty() && (type == "ALL" || seen.front() == "ALL"))) {
      throw constraint_violation(path, type, "Failure types must not overlap");
    }
    seen.push_back(type);
    if (type == "FAILED") {
      limits.failed = retries;
    } else if (type == "TIMED_OUT") {
      limits.timed_out = retries;
    } else if (type == "ALL") {
      limits.either = retries;
    } else {
      throw constraint_violation(path, type,
                                 "Member must satisfy enum value set: [FAILED, TIMED_OUT, ALL]");
    }
  }
  if (limits.failed + limits.timed_out > max_retries) {
    throw constraint_violation(config->path_of("criteriaList"), excerpt(*list),
                               "Members must have at most 10 retries together");
  }
  return limits;
}

AbortCriterion abort_criterion(const Members& members) {
  AbortCriterion criterion;
  const std::string type_path = members.path_of("failureType");
  const auto type = required(members.text("failureType", 64), type_path);
  const auto status = execution_status_named(type);
  if (status == ExecutionStatus::failed || status == ExecutionStatus::rejected ||
      status == ExecutionStatus::timed_out) {
    criterion.failure = status;
  } else if (type != "ALL") {
    throw constraint_violation(
        type_path, type, "Member must satisfy enum value set: [FAILED, REJECTED, TIMED_OUT, ALL]");
  }
  const auto action = required(members.text("action", 64), members.path_of("action"));
  if (action != "CANCEL") {
    throw constraint_violation(members.path_of("action"), action,
                               "Member must satisfy enum value set: [CANCEL]");
  }
  criterion.threshold_percentage = required(members.number("thresholdPercentage", 0, 100),
                                            members.path_of("thresholdPercentage"));
  criterion.fewest_executed_things =
      static_cast<int>(required(members.integer("minNumberOfExecutedThings", 1, 1'000'000'000),
                                members.path_of("minNumberOfExecutedThings")));
  return criterion;
}

std::vector<AbortCriterion> abort_member(const Members& members) {
  std::vector<AbortCriterion> criteria;
  const auto config = members.object("abortConfig");
  if (!config) return criteria;
  const Json* list = config->array("criteriaList");
  if (list == nullptr || list->empty()) {
    throw constraint_violation(config->path_of("criteriaList"), "null",
                               "Member must have length greater than or equal to 1");
  }
  for (const Json& entry : *list) {
    criteria.push_back(abort_criterion({entry, config->path_of("criteriaList")}));
  }
  return criteria;
}

JobDefinition definition_of(const Route& route, const Members& members) {
  for (const char* name : unsupported) {
    if (members.find(name) != nullptr) {
      throw invalid_request(std::string("jobs-endpoint does not support '") + name + "'.");
    }
  }
  JobDefinition definition;
  definition.id = route.job;
  definition.targets = targets_member(members);
  definition.document = document_member(members);
  definition.description =
      visible_text(members, "description", longest_description).value_or(std::string());
  const auto selection = members.text("targetSelection", 64).value_or("SNAPSHOT");
  if (selection != "SNAPSHOT" && selection != "CONTINUOUS") {
    throw constraint_violation("targetSelection", selection,
                               "Member must satisfy enum value set: [CONTINUOUS, SNAPSHOT]");
  }
  definition.continuous = selection == "CONTINUOUS";
  if (const auto config = members.object("timeoutConfig")) {
    if (const auto minutes =
            config->integer("inProgressTimeoutInMinutes", 1, longest_timeout_minutes)) {
      definition.in_progress_timeout = std::chrono::minutes(*minutes);
    }
  }
  definition.retries = retries_member(members);
  definition.abort_criteria = abort_member(members);
  for (const char* name : echoed) {
    if (const Json* value = members.find(name)) definition.echoed[name] = *value;
  }
  return definition;
}

Json job_reference(const Job& job) {
  Json reference = {{"jobArn", job.arn}, {"jobId", job.definition.id}};
  if (!job.definition.description.empty()) reference["description"] = job.definition.description;
  return reference;
}

bool is_reason_code(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char character) {
    return (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') ||
           character == '_';
  });
}

Json cancel(const Route& route, const Members& members, Store& store, Instant now) {
  CancelOptions options;
  options.force = boolean_parameter(route.parameter("force"), "force").value_or(false);
  options.reason_code = members.text("reasonCode", longest_reason).value_or(std::string());
  if (!is_reason_code(options.reason_code)) {
    throw constraint_violation(
        "reasonCode", options.reason_code,
        "Member must satisfy regular expression pattern: [\\p{Upper}\\p{Digit}_]+");
  }
  options.comment = visible_text(members, "comment", longest_comment).value_or(std::string());
  return job_reference(store.cancel_job(route.job, options, now));
}

}  // namespace

Json carry_out_control_plane(const Route& route, const std::string& body, Store& store,
                             Instant now) {
  if (route.operation == Operation::list_jobs) return list_jobs(route, store, now);
  require_job_id(route.job);
  switch (route.operation) {
    case Operation::create_job:
      return job_reference(store.create_job(definition_of(route, Members::of_body(body)), now));
    case Operation::describe_job:
      return {{"job", job_shape(store.find_job(route.job, now))}};
    case Operation::cancel_job:
      return cancel(route, Members::of_body(body), store, now);
    case Operation::delete_job:
      store.delete_job(route.job,
                       boolean_parameter(route.parameter("force"), "force").value_or(false), now);
      return nullptr;
    case Operation::get_job_document:
      return {{"document", store.find_job(route.job, now).definition.document}};
    case Operation::list_job_executions:
      return list_job_executions(route, store, now);
    default:
      throw unknown_operation("No such operation.");
  }
}

}  // namespace jobs_endpoint
