#pragma once

#include <string>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/http_query.h"
#include "adapters/aws/wall_clock.h"

namespace jobs_bridge::aws {

/// The credentials of the role of an EC2 instance, from its metadata service in version 2 (AWS EC2
/// user guide, "Use IMDSv2"). AWS_EC2_METADATA_DISABLED=true (in any case) turns it off,
/// AWS_EC2_METADATA_SERVICE_ENDPOINT (http://host[:port]) points elsewhere.
class InstanceSource final : public CredentialSource {
 public:
  InstanceSource(Environment environment, OpenOrigin open, WallClock clock)
      : environment_(std::move(environment)), clock_(std::move(clock)), query_(std::move(open)) {}

  [[nodiscard]] std::string name() const override { return "the instance's metadata"; }
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  void stop() override { query_.stop(); }

 private:
  const Environment environment_;
  const WallClock clock_;
  HttpQuery query_;
};

}  // namespace jobs_bridge::aws
