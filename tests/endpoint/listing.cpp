#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/endpoint/members.h"
#include "tests/endpoint/operations.h"
#include "tests/endpoint/shapes.h"

namespace jobs_endpoint {
namespace {

/// Of AWS's API model iot, shape LaserMaxResults; also the default size of a page.
constexpr std::int64_t longest_page = 250;

struct Page {
  std::int64_t size = longest_page;
  /// What stood in the token: the order of the last entry of the page before.
  std::uint64_t after = 0;
};

Page page_of(const Route& route) {
  Page page;
  if (const auto size = integer_parameter(route.parameter("maxResults"), "maxResults")) {
    if (*size < 1 || *size > longest_page) {
      throw constraint_violation("maxResults", std::to_string(*size),
                                 "Member must have value between 1 and 250");
    }
    page.size = *size;
  }
  if (const auto token = integer_parameter(route.parameter("nextToken"), "nextToken")) {
    if (*token < 0) throw invalid_request("The nextToken does not belong to this list.");
    page.after = static_cast<std::uint64_t>(*token);
  }
  return page;
}

/// A query parameter that has to be one of these if it is given.
std::optional<std::string> choice(const Route& route, const char* name,
                                  std::initializer_list<std::string_view> choices) {
  auto value = route.parameter(name);
  if (value && std::ranges::find(choices, *value) == choices.end()) {
    std::string all;
    for (const auto known : choices) all.append(all.empty() ? "" : ", ").append(known);
    throw constraint_violation(name, *value, "Member must satisfy enum value set: [" + all + "]");
  }
  return value;
}

/// The entries that follow the token and are `wanted`, under `name`; the token of the next page if
/// there is one.
template <typename Entry, typename Wanted, typename Shape>
Json listed(const char* name, const std::vector<const Entry*>& entries, const Page& page,
            Wanted wanted, Shape shape) {
  Json list = Json::array();
  std::uint64_t last = 0;
  for (const Entry* entry : entries) {
    if (entry->order <= page.after || !wanted(*entry)) continue;
    if (static_cast<std::int64_t>(list.size()) == page.size) {
      return {{name, list}, {"nextToken", std::to_string(last)}};
    }
    list.push_back(shape(*entry));
    last = entry->order;
  }
  return {{name, list}};
}

}  // namespace

Json list_jobs(const Route& route, Store& store, Instant now) {
  for (const char* name : {"thingGroupName", "thingGroupId", "namespaceId"}) {
    if (route.parameter(name)) {
      throw invalid_request(std::string("jobs-endpoint does not support '") + name + "'.");
    }
  }
  const auto status =
      choice(route, "status",
             {"IN_PROGRESS", "CANCELED", "COMPLETED", "DELETION_IN_PROGRESS", "SCHEDULED"});
  const auto selection = choice(route, "targetSelection", {"CONTINUOUS", "SNAPSHOT"});
  const auto wanted = [&](const Job& job) {
    return (!status || *status == name_of(job.status)) &&
           (!selection || (*selection == "CONTINUOUS") == job.definition.continuous);
  };
  return listed("jobs", store.jobs(now), page_of(route), wanted, job_summary_shape);
}

Json list_job_executions(const Route& route, Store& store, Instant now) {
  const auto status = choice(route, "status",
                             {"QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT",
                              "REJECTED", "REMOVED", "CANCELED"});
  const auto wanted = [&](const Execution& execution) {
    return !status || *status == name_of(execution.status);
  };
  // A retry has a higher order than what was given before it: the list is in order of queueing.
  std::vector<const Execution*> executions = store.executions_of_job(route.job, now);
  std::ranges::sort(executions, {}, &Execution::order);
  return listed("executionSummaries", executions, page_of(route), wanted,
                execution_summary_for_job_shape);
}

}  // namespace jobs_endpoint
