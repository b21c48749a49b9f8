#pragma once

#include <string>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/http_query.h"
#include "adapters/aws/service_url.h"
#include "adapters/aws/wall_clock.h"

namespace jobs_bridge::aws {

/// The credentials of an ECS task or an EKS pod, from the agent beside it:
/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, and AWS_CONTAINER_AUTHORIZATION_TOKEN or
/// _TOKEN_FILE, which is read anew by every fetch (AWS SDKs and tools reference guide, "Container
/// credential provider"). Plain HTTP only to this machine and to the agents' link-local addresses.
class ContainerSource final : public CredentialSource {
 public:
  ContainerSource(Environment environment, OpenOrigin open, WallClock clock)
      : environment_(std::move(environment)), clock_(std::move(clock)), query_(std::move(open)) {}

  [[nodiscard]] std::string name() const override { return "the container's agent"; }
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  void stop() override { query_.stop(); }

 private:
  [[nodiscard]] Result<ServiceUrl, SourceFault> place() const;
  [[nodiscard]] Result<std::string, SourceFault> authorization() const;

  const Environment environment_;
  const WallClock clock_;
  HttpQuery query_;
};

}  // namespace jobs_bridge::aws
