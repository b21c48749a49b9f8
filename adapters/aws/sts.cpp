#include "adapters/aws/sts.h"

#include <chrono>

#include "adapters/aws/credential_document.h"
#include "adapters/aws/signer.h"
#include "adapters/aws/sts_answer.h"
#include "adapters/files/file.h"
#include "adapters/net/address.h"
#include "bridge/text/percent_encoding.h"

namespace jobs_bridge::aws {
namespace {

/// The longest that STS takes is 20,000 characters.
constexpr std::size_t max_token = 64 * 1024;

void append_member(std::string& form, const char* name, std::string_view value) {
  form.append(form.empty() ? "" : "&").append(name).append("=");
  append_percent_encoded(form, value);
}

}  // namespace

std::string Sts::form_of(const char* action, const Role& role) const {
  std::string form;
  append_member(form, "Action", action);
  append_member(form, "Version", "2011-06-15");
  append_member(form, "RoleArn", role.arn);
  append_member(
      form, "RoleSessionName",
      role.session_name.empty() ? "jobs-bridge-" + std::to_string(clock_()) : role.session_name);
  if (!role.external_id.empty()) append_member(form, "ExternalId", role.external_id);
  if (!role.duration.empty()) append_member(form, "DurationSeconds", role.duration);
  return form;
}

Result<Credentials, SourceFault> Sts::assume(const Role& role, const Credentials& source,
                                             MonotonicTime deadline) {
  return ask(form_of("AssumeRole", role), role, &source, source.session_token, deadline);
}

Result<Credentials, SourceFault> Sts::assume_with_web_identity(const Role& role,
                                                               const std::string& token_file,
                                                               MonotonicTime deadline) {
  auto token = files::read_file(token_file, max_token);
  if (!token) {
    return Failure{
        SourceFault{.cause = "web identity token file " + token_file + ": " + token.error().cause}};
  }
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
  if (token->empty()) {
    return Failure{SourceFault{.cause = "web identity token file " + token_file + ": is empty"}};
  }
  auto form = form_of("AssumeRoleWithWebIdentity", role);
  append_member(form, "WebIdentityToken", *token);
  return ask(form, role, nullptr, *token, deadline);
}

Result<Credentials, SourceFault> Sts::ask(const std::string& form, const Role& role,
                                          const Credentials* source, std::string_view secret,
                                          MonotonicTime deadline) {
  const auto& service = settings_.service;
  HttpRequest request{
      .method = "POST",
      .target = "/",
      .body = form,
      .headers = {{"Accept", "*/*"},
                  {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
      .repeatable = true};
  if (source != nullptr) {
    Signer signer(settings_.region, "sts");
    request =
        signer.sign(std::move(request), net::host_header(service.host, service.port, service.tls),
                    *source, clock_());
  }
  const auto answer = query_.ask(service, request, deadline);
  if (!answer) return Failure{SourceFault{.cause = answer.error().detail}};
  return read_sts_answer(*answer, service.host + ", role " + safe_to_log(role.arn),
                         std::chrono::steady_clock::now(), clock_(), secret);
}

}  // namespace jobs_bridge::aws
