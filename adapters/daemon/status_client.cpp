#include "adapters/daemon/status_client.h"

#include <chrono>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <variant>

#include "adapters/config/url.h"
#include "adapters/https/https_endpoint.h"

namespace jobs_bridge {
namespace {

constexpr std::chrono::seconds status_timeout{5};

/// What the HTTP client would log is also in its result.
struct NoLog final : Log {
  [[nodiscard]] bool enabled(Severity) const override { return false; }
  void write(Severity, std::string_view, std::initializer_list<Field>) override {}
};

}  // namespace

Result<std::string, std::string> fetch_status(const std::string& url, const std::string& token) {
  const auto place = config::parse_url(url, {"http"});
  if (!place) return Failure{url + " " + place.error() + "; expected http://host:port"};
  https::EndpointSettings settings;
  settings.tls = false;
  settings.host = place->host;
  settings.port = place->port;
  NoLog log;
  const auto endpoint = https::open_endpoint(std::move(settings), log);
  if (!endpoint) return Failure{endpoint.error()};
  HttpRequest request{.method = "GET", .target = "/api/status", .body = {}, .headers = {}};
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  const auto outcome =
      (*endpoint)->open()->perform(request, std::chrono::steady_clock::now() + status_timeout);
  if (const auto* const failure = std::get_if<HttpFailure>(&outcome)) {
    return Failure{"no bridge answers at " + url + " (" + failure->detail +
                   "): check that it is running, and that this is its admin.listen"};
  }
  auto reply = std::get<HttpResponse>(outcome);
  if (reply.status == 401) {
    return Failure{"the bridge at " + url +
                   (token.empty() ? " requires its token: use --token-file FILE"
                                  : " does not accept this token")};
  }
  if (reply.status != 200) {
    return Failure{"the bridge at " + url + " answered HTTP " + std::to_string(reply.status) +
                   ": " + reply.body.substr(0, 200)};
  }
  return std::move(reply.body);
}

}  // namespace jobs_bridge
