#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "bridge/jobs/http.h"
#include "bridge/jobs/outcome.h"
#include "bridge/jobs/request.h"

/// Requests as the tests of what follows them need them.
namespace jobs_bridge::testing_support {

inline TopicRequest topic_request(Operation operation, std::string_view thing = "T",
                                  std::string_view job = "job-1") {
  TopicRequest topic{*ThingName::parse(thing), operation, std::nullopt};
  if (facts_of(operation).job != NamedJob::none) topic.job = JobName::parse(job);
  return topic;
}

/// The request that a payload holds; throws where it holds none.
inline Request request_of(Operation operation, std::string_view payload = {},
                          std::string_view thing = "T", std::string_view job = "job-1") {
  if (operation == Operation::update && payload.empty()) payload = R"({"status":"IN_PROGRESS"})";
  return std::get<Request>(decode_request(topic_request(operation, thing, job), payload).content);
}

/// What the device hears if nothing more is tried.
inline Answer answer_to(const Request& request, const HttpOutcome& outcome) {
  return read_outcome(request, outcome).answer;
}

inline HttpResponse response(int status, std::string body, std::string error_type = {}) {
  HttpResponse made;
  made.status = status;
  made.body = std::move(body);
  made.error_type = std::move(error_type);
  return made;
}

}  // namespace jobs_bridge::testing_support
