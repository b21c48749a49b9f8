#include "bridge/jobs/health.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>
#include <variant>

#include "bridge/jobs/endpoint_error.h"
#include "bridge/jobs/http_date.h"
#include "bridge/jobs/json_text.h"
#include "bridge/jobs/whole_number.h"

namespace jobs_bridge {
namespace {

/// Enveloped answers carry their errors with any status; AWS's never have such a member.
bool may_be_enveloped(const HttpResponse& response) {
  constexpr std::size_t beginning = 64;
  return std::string_view(response.body).substr(0, beginning).find("success") !=
         std::string_view::npos;
}

bool is_throttling(const HttpResponse& response) {
  if (response.status == 429) return true;
  const auto members = json_text::members_of(response.body);
  if (!members) {
    return read_aws_error(response, {}).code == ErrorCode::request_throttled;
  }
  if (const auto* success = json_text::find(*members, "success")) {
    if (success->value == "true") return false;
    return read_enveloped_error(response, *members).code == ErrorCode::request_throttled;
  }
  return response.status >= 400 &&
         read_aws_error(response, *members).code == ErrorCode::request_throttled;
}

}  // namespace

Health health_of(const HttpOutcome& outcome) {
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    using Kind = HttpFailure::Kind;
    if (failure->kind == Kind::stopped) return Health::unknown;
    return failure->kind == Kind::too_large ? Health::well : Health::ill;
  }
  // As good as down: it will carry out no call, whoever asks.
  if (refuses_credentials(outcome)) return Health::ill;
  const auto& response = std::get<HttpResponse>(outcome);
  if ((response.status >= 400 || may_be_enveloped(response)) && is_throttling(response)) {
    return Health::throttles;
  }
  return response.status >= 500 ? Health::ill : Health::well;
}

std::optional<Duration> retry_after(const HttpOutcome& outcome) {
  const auto* response = std::get_if<HttpResponse>(&outcome);
  if (response == nullptr || response->retry_after.empty()) return std::nullopt;
  const auto seconds = whole_number<int>(response->retry_after);
  if (seconds && *seconds >= 0) return std::chrono::seconds(*seconds);
  const auto then = read_http_date(response->retry_after);
  const auto now = read_http_date(response->date);
  if (!then || !now || *then <= *now) return std::nullopt;
  // Not more than can be said in seconds: thousands of years do not fit into a Duration.
  return std::min(*then - *now, std::chrono::seconds(std::numeric_limits<int>::max()));
}

}  // namespace jobs_bridge
