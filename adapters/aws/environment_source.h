#pragma once

#include "adapters/aws/credential_source.h"

namespace jobs_bridge::aws {

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (or AWS_SECURITY_TOKEN, its older
/// name).
class EnvironmentSource final : public CredentialSource {
 public:
  explicit EnvironmentSource(Environment environment) : environment_(std::move(environment)) {}
  [[nodiscard]] std::string name() const override { return "the environment"; }
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  bool is_there() override {
    return environment_("AWS_ACCESS_KEY_ID") && environment_("AWS_SECRET_ACCESS_KEY");
  }

 private:
  const Environment environment_;
};

}  // namespace jobs_bridge::aws
