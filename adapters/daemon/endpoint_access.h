#pragma once

#include <memory>
#include <string>

#include "adapters/aws/credential_keeper.h"
#include "adapters/aws/signing_clock.h"
#include "adapters/aws/signing_endpoint.h"
#include "adapters/config/configuration.h"
#include "bridge/ports/endpoint.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"

namespace jobs_bridge {

/// Access to the endpoint as configured: HTTPS, a proxy, and signatures if required.
class EndpointAccess {
 public:
  /// Reads certificates and the proxy's password, and begins to fetch credentials. An error names
  /// the setting, the file and the cause. `log` must outlive the result.
  static Result<std::unique_ptr<EndpointAccess>, std::string> open(
      const config::Configuration& configuration, Log& log);

  /// The endpoint for requests. It lives as long as this object.
  [[nodiscard]] Endpoint& endpoint();

  /// Null if requests are not signed.
  [[nodiscard]] aws::CredentialKeeper* credentials() { return keeper_.get(); }
  [[nodiscard]] aws::SigningClock* clock() { return clock_.get(); }

 private:
  EndpointAccess() = default;

  std::unique_ptr<Endpoint> https_;
  std::unique_ptr<aws::SigningClock> clock_;
  std::unique_ptr<aws::CredentialKeeper> keeper_;
  std::unique_ptr<aws::SigningEndpoint> signing_;
};

}  // namespace jobs_bridge
