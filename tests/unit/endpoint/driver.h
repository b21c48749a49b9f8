#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/endpoint/endpoint.h"

namespace jobs_endpoint::testing {

/// 2026-01-01T00:00:00.25Z: the fraction shows where stamps are cut to seconds.
inline constexpr std::int64_t start_second = 1767225600;
inline constexpr Instant start =
    Instant(std::chrono::seconds(start_second) + std::chrono::milliseconds(250));

struct Answer {
  int status = 0;
  std::string error_type = {};
  std::string text = {};
  Json body = {};
};

/// An Endpoint and a clock that a test moves.
class Driver {
 public:
  explicit Driver(const EndpointOptions& options = {}) : endpoint_(options) {}

  Answer call(const std::string& method, const std::string& target, const std::string& body = "") {
    HttpRequest request = {method, target};
    if (!body.empty()) request.headers = {{"content-type", "application/json"}};
    request.body = body;
    last_ = endpoint_.receive(request, 1, now);
    if (delivers) endpoint_.delivered(last_, now);
    Answer answer = {last_.answer.status,
                     std::string(find_header(last_.answer.headers, "x-amzn-errortype")),
                     last_.answer.body};
    if (!answer.text.empty()) answer.body = Json::parse(answer.text, nullptr, false);
    return answer;
  }

  Answer start_next(const std::string& thing, const std::string& body = "{}") {
    return call("PUT", "/things/" + thing + "/jobs/$next", body);
  }
  Answer pending(const std::string& thing) { return call("GET", "/things/" + thing + "/jobs"); }
  Answer describe(const std::string& thing, const std::string& job, const std::string& query = "") {
    return call("GET", "/things/" + thing + "/jobs/" + job + query);
  }
  Answer update(const std::string& thing, const std::string& job, const std::string& body) {
    return call("POST", "/things/" + thing + "/jobs/" + job, body);
  }
  /// A job for one thing, with the document {} and further members.
  Answer create(const std::string& job, const std::string& thing, Json members = Json::object()) {
    return create_for(job, {thing}, std::move(members));
  }
  Answer create_for(const std::string& job, const std::vector<std::string>& things,
                    Json members = Json::object()) {
    for (const std::string& thing : things) {
      members["targets"].push_back("arn:aws:iot:eu-west-1:123456789012:thing/" + thing);
    }
    if (!members.contains("document")) members["document"] = "{}";
    return call("PUT", "/jobs/" + job, members.dump());
  }
  Json job(const std::string& id) { return call("GET", "/jobs/" + id).body["job"]; }
  Json calls(const std::string& query = "") { return call("GET", "/_calls" + query).body; }

  [[nodiscard]] const Delivery& last() const { return last_; }

  Instant now = start;
  /// Whether answers reach the network.
  bool delivers = true;

 private:
  Endpoint endpoint_;
  Delivery last_;
};

}  // namespace jobs_endpoint::testing
