#include "adapters/aws/web_identity_source.h"

namespace jobs_bridge::aws {

Result<Credentials, SourceFault> WebIdentitySource::fetch(MonotonicTime deadline) {
  const auto token_file = environment_("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!token_file) {
    return Failure{SourceFault{.absent = true, .cause = "AWS_WEB_IDENTITY_TOKEN_FILE is not set"}};
  }
  const auto role = environment_("AWS_ROLE_ARN");
  if (!role) {
    return Failure{
        SourceFault{.cause = "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not"}};
  }
  return sts_->assume_with_web_identity(
      {.arn = *role, .session_name = environment_("AWS_ROLE_SESSION_NAME").value_or("")},
      *token_file, deadline);
}

}  // namespace jobs_bridge::aws
