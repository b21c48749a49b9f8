#pragma once

#include <memory>
#include <string>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/sts.h"

namespace jobs_bridge::aws {

/// The role of a Kubernetes service account, as Amazon EKS gives it to a pod: AWS_ROLE_ARN, the
/// token in AWS_WEB_IDENTITY_TOKEN_FILE, and AWS_ROLE_SESSION_NAME.
class WebIdentitySource final : public CredentialSource {
 public:
  WebIdentitySource(Environment environment, std::unique_ptr<Sts> sts)
      : environment_(std::move(environment)), sts_(std::move(sts)) {}

  [[nodiscard]] std::string name() const override { return "a web identity"; }
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  bool is_there() override { return environment_("AWS_WEB_IDENTITY_TOKEN_FILE").has_value(); }
  void stop() override { sts_->stop(); }

 private:
  const Environment environment_;
  const std::unique_ptr<Sts> sts_;
};

}  // namespace jobs_bridge::aws
