#include "adapters/aws/container_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "adapters/aws/credential_document.h"
#include "adapters/aws/service_url.h"
#include "adapters/files/file.h"

namespace jobs_bridge::aws {
namespace {

using namespace std::chrono_literals;

constexpr auto container_timeout = 2s;
constexpr std::size_t max_token = 64 * 1024;
constexpr std::string_view agent_of_ecs = "169.254.170.2";

Failure<SourceFault> fault(std::string cause) {
  return Failure{SourceFault{.absent = false, .cause = std::move(cause)}};
}

/// With plain HTTP the authorization token crosses the network unencrypted.
bool may_be_plain(std::string_view host) {
  constexpr std::array<std::string_view, 5> hosts = {"localhost", "::1", agent_of_ecs,
                                                     "169.254.170.23", "fd00:ec2::23"};
  const bool digits_and_dots = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return std::ranges::find(hosts, host) != hosts.end() ||
         (host.starts_with("127.") && digits_and_dots);
}

}  // namespace

Result<ServiceUrl, SourceFault> ContainerSource::place() const {
  if (const auto relative = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    if (!is_target(*relative)) {
      return fault("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path");
    }
    return ServiceUrl{.origin = {.tls = false, .host = std::string(agent_of_ecs), .port = 80},
                      .target = *relative};
  }
  const auto full = environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!full) {
    return Failure{
        SourceFault{.absent = true,
                    .cause = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set"}};
  }
  auto url = read_service_url(*full);
  if (!url) return fault("AWS_CONTAINER_CREDENTIALS_FULL_URI is not an http:// or https:// URL");
  if (!url->origin.tls && !may_be_plain(url->origin.host)) {
    return fault("AWS_CONTAINER_CREDENTIALS_FULL_URI is plain http:// to " + url->origin.host +
                 ", which is neither this machine nor an agent's address");
  }
  return *std::move(url);
}

Result<std::string, SourceFault> ContainerSource::authorization() const {
  const auto path = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!path) return environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  auto content = files::read_file(*path, max_token);
  const auto where = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE " + *path + ": ";
  if (!content) return fault(where + content.error().cause);
  auto token = *std::move(content);
  if (token.empty()) return fault(where + "is empty");
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  return token;
}

Result<Credentials, SourceFault> ContainerSource::fetch(MonotonicTime deadline) {
  auto where = place();
  if (!where) return Failure{where.error()};
  const auto token = authorization();
  if (!token) return Failure{token.error()};
  HttpRequest request{
      .method = "GET", .target = where->target, .body = {}, .headers = {}, .repeatable = true};
  if (!token->empty()) request.headers.emplace_back("Authorization", *token);
  where->origin.connect_timeout = container_timeout;
  where->origin.answer_timeout = container_timeout;
  const auto answer = query_.ask(where->origin, request, deadline);
  if (!answer) return fault(answer.error().detail);
  return read_document(*answer, DocumentForm::instance,
                       "the container's agent at " + where->origin.host,
                       std::chrono::steady_clock::now(), clock_(), *token);
}

}  // namespace jobs_bridge::aws
