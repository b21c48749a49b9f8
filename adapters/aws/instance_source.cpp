#include "adapters/aws/instance_source.h"

#include <chrono>

#include "adapters/aws/credential_document.h"
#include "adapters/aws/service_url.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::aws {
namespace {

using namespace std::chrono_literals;

/// Where there is no metadata service no answer comes; where there is one, it is one hop away.
constexpr auto instance_timeout = 1s;
constexpr auto roles = "/latest/meta-data/iam/security-credentials/";

HttpRequest question(std::string target, const std::string& token) {
  return {.method = "GET",
          .target = std::move(target),
          .body = {},
          .headers = {{"X-aws-ec2-metadata-token", token}},
          .repeatable = true};
}

/// The service exists but its answer does not arrive: the hop limit of answers is too low.
std::string why_no_session(const HttpFailure& failure) {
  if (failure.kind != HttpFailure::Kind::timeout || !failure.maybe_sent) return failure.detail;
  return failure.detail +
         "; in a container on an EC2 instance the answer needs one more hop: run aws ec2 "
         "modify-instance-metadata-options --http-put-response-hop-limit 2";
}

/// A token or a role's name: one line.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

Result<Credentials, SourceFault> InstanceSource::fetch(MonotonicTime deadline) {
  if (const auto disabled = environment_("AWS_EC2_METADATA_DISABLED");
      disabled && equal_ignoring_case(*disabled, "true")) {
    return Failure{SourceFault{.absent = true, .cause = "AWS_EC2_METADATA_DISABLED is true"}};
  }
  const auto given = environment_("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  const auto url = read_service_url(given.value_or("http://169.254.169.254"));
  if (!url) {
    return Failure{
        SourceFault{.absent = false, .cause = "AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL"}};
  }
  Origin service = url->origin;
  service.connect_timeout = instance_timeout;
  service.answer_timeout = 2 * instance_timeout;
  const auto where = "the instance's metadata at " + service.host;

  const HttpRequest session{.method = "PUT",
                            .target = "/latest/api/token",
                            .body = {},
                            .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                            .repeatable = true};
  const auto token = query_.ask(service, session, deadline);
  // No answer: probably this is not an EC2 instance.
  if (!token) return Failure{SourceFault{.absent = true, .cause = why_no_session(token.error())}};
  const auto refused = [&](const HttpResponse& answer, const std::string& what) {
    return Failure{SourceFault{
        .absent = false, .cause = where + ": " + what + ": HTTP " + std::to_string(answer.status)}};
  };
  if (token->status != 200) return refused(*token, "no session token");
  const auto session_token = first_line(token->body);

  const auto role = query_.ask(service, question(roles, session_token), deadline);
  if (!role) return Failure{SourceFault{.absent = false, .cause = role.error().detail}};
  if (role->status == 404) {
    return Failure{SourceFault{.absent = true, .cause = where + ": the instance has no role"}};
  }
  const auto name = first_line(role->body);
  if (role->status != 200 || !is_target("/" + name) || name.empty()) {
    return refused(*role, "no role");
  }
  const auto answer = query_.ask(service, question(roles + name, session_token), deadline);
  if (!answer) return Failure{SourceFault{.absent = false, .cause = answer.error().detail}};
  return read_document(*answer, DocumentForm::instance, where, std::chrono::steady_clock::now(),
                       clock_(), session_token);
}

}  // namespace jobs_bridge::aws
