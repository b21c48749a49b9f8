#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "adapters/aws/credential_source.h"

namespace jobs_bridge::aws {

/// Several sources, asked in order until one has credentials. The one that had them is asked first
/// from then on, and alone while it is there: its troubles must not turn the gateway into somebody
/// else. Only one that comes before it and is there again, such as a file that was empty for a
/// moment, takes over.
class SourceChain final : public CredentialSource {
 public:
  explicit SourceChain(std::vector<std::unique_ptr<CredentialSource>> sources)
      : sources_(std::move(sources)) {}

  /// Of the source that has credentials, once there is one.
  [[nodiscard]] std::string name() const override;
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  [[nodiscard]] bool can_change() const override;
  bool has_returned() override;
  void stop() override;

 private:
  /// The first that is there before the one that has credentials; null: none is.
  [[nodiscard]] CredentialSource* returned() const;

  const std::vector<std::unique_ptr<CredentialSource>> sources_;
  std::atomic<CredentialSource*> chosen_{nullptr};
};

}  // namespace jobs_bridge::aws
