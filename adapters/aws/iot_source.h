#pragma once

#include <string>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/http_query.h"
#include "adapters/aws/wall_clock.h"
#include "bridge/ports/origin.h"

namespace jobs_bridge::aws {

/// The AWS IoT credential provider: credentials of a role for a certificate, over mutual TLS (AWS
/// IoT developer guide, "Authorizing direct calls to AWS services").
class IotSource final : public CredentialSource {
 public:
  struct Settings {
    Origin provider;  ///< with the certificate and its key
    std::string
        role_alias;  ///< its only characters that need escaping in a path are '=', ',' and '@'
    std::string thing_name;  ///< sent if not empty; it must be attached to the certificate then
  };
  IotSource(Settings settings, OpenOrigin open, WallClock clock)
      : settings_(std::move(settings)), clock_(std::move(clock)), query_(std::move(open)) {}

  [[nodiscard]] std::string name() const override {
    return "the AWS IoT credential provider, role alias " + settings_.role_alias;
  }
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  void stop() override { query_.stop(); }

 private:
  const Settings settings_;
  const WallClock clock_;
  HttpQuery query_;
};

}  // namespace jobs_bridge::aws
