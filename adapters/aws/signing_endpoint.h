#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "adapters/aws/credential_keeper.h"
#include "adapters/aws/signing_clock.h"
#include "bridge/ports/endpoint.h"

namespace jobs_bridge::aws {

/// An endpoint that signs requests before it passes them on.
///
/// A request that the endpoint refuses for its signature is signed again and sent once more: with
/// the corrected clock if the answer's Date shows that ours is off, otherwise with other
/// credentials if the source has any. Since the endpoint refused it before processing it, this is
/// safe for updates too. Without valid credentials a request is not sent:
/// HttpFailure::Kind::credentials.
class SigningEndpoint final : public Endpoint {
 public:
  struct Settings {
    std::string region;
    std::string host;  ///< the value that the Host header will have
  };
  /// Everything passed by reference must outlive the endpoint.
  SigningEndpoint(Endpoint& endpoint, Settings settings, CredentialKeeper& credentials,
                  SigningClock& clock)
      : endpoint_(endpoint),
        settings_(std::move(settings)),
        credentials_(credentials),
        clock_(clock) {}

  std::unique_ptr<Exchange> open() override;
  /// Stops the renewal of credentials too, since requests may be waiting for it.
  void stop() override;

 private:
  Endpoint& endpoint_;
  const Settings settings_;
  CredentialKeeper& credentials_;
  SigningClock& clock_;
  std::atomic<bool> stopped_{false};
};

}  // namespace jobs_bridge::aws
