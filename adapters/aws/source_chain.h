#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "adapters/aws/credential_source.h"

namespace jobs_bridge::aws {

/// Several sources, tried in order until one has credentials. That one is tried first from then on,
/// and is the only one while it is configured: its failures must not change the gateway's identity.
/// Only an earlier source that is configured again, such as a file that was empty for a moment,
/// takes over.
class SourceChain final : public CredentialSource {
 public:
  explicit SourceChain(std::vector<std::unique_ptr<CredentialSource>> sources)
      : sources_(std::move(sources)) {}

  /// The name of the source that has credentials, once there is one.
  [[nodiscard]] std::string name() const override;
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  [[nodiscard]] bool can_change() const override;
  bool has_returned() override;
  void stop() override;

 private:
  /// The first configured source before the one that has credentials; null if there is none.
  [[nodiscard]] CredentialSource* returned() const;

  const std::vector<std::unique_ptr<CredentialSource>> sources_;
  std::atomic<CredentialSource*> chosen_{nullptr};
};

}  // namespace jobs_bridge::aws
