#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "adapters/aws/credential_keeper.h"
#include "adapters/aws/signing_clock.h"
#include "bridge/ports.h"

namespace jobs_bridge::aws {

/// An endpoint whose requests are signed on their way.
///
/// A request that the endpoint refuses for its signature is signed anew and sent once more: with
/// the clock corrected if its Date shows that ours is off, else with other credentials if the
/// source has any. It was refused before it was looked at, so this is safe for updates too. Without
/// valid credentials a request is not sent: HttpFailure::Kind::credentials.
class SigningEndpoint final : public Endpoint {
 public:
  struct Settings {
    std::string region;
    std::string host;  ///< what the Host header will say
  };
  /// All that is referred to must outlive the endpoint.
  SigningEndpoint(Endpoint& endpoint, Settings settings, CredentialKeeper& credentials,
                  SigningClock& clock)
      : endpoint_(endpoint),
        settings_(std::move(settings)),
        credentials_(credentials),
        clock_(clock) {}

  std::unique_ptr<Exchange> open() override;
  /// Ends the renewal of credentials too: requests may be waiting for it.
  void stop() override;

 private:
  Endpoint& endpoint_;
  const Settings settings_;
  CredentialKeeper& credentials_;
  SigningClock& clock_;
  std::atomic<bool> stopped_{false};
};

}  // namespace jobs_bridge::aws
