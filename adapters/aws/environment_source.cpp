#include "adapters/aws/environment_source.h"

#include <cstdlib>

#include "adapters/aws/usable.h"

namespace jobs_bridge::aws {

std::optional<std::string> process_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<Credentials, SourceFault> EnvironmentSource::fetch(MonotonicTime) {
  const auto id = environment_("AWS_ACCESS_KEY_ID");
  const auto secret = environment_("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) {
    return Failure{SourceFault{.absent = true, .cause = "AWS_ACCESS_KEY_ID is not set"}};
  }
  if (!id) {
    return Failure{
        SourceFault{.cause = "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not"}};
  }
  if (!secret) {
    return Failure{
        SourceFault{.cause = "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not"}};
  }
  Credentials credentials;
  credentials.access_key_id = *id;
  credentials.secret_access_key = *secret;
  auto token = environment_("AWS_SECURITY_TOKEN");
  credentials.session_token = token ? *token : environment_("AWS_SESSION_TOKEN").value_or("");
  return check_usable(std::move(credentials), name());
}

}  // namespace jobs_bridge::aws
