#include "adapters/aws/source_chain.h"

namespace jobs_bridge::aws {

std::string SourceChain::name() const {
  const auto* const chosen = chosen_.load();
  return chosen != nullptr ? chosen->name() : "the default sources";
}

bool SourceChain::can_change() const {
  const auto* const chosen = chosen_.load();
  return chosen != nullptr && chosen->can_change();
}

void SourceChain::stop() {
  for (const auto& source : sources_) source->stop();
}

CredentialSource* SourceChain::returned() const {
  const auto* const chosen = chosen_.load();
  if (chosen == nullptr) return nullptr;
  for (const auto& source : sources_) {
    if (source.get() == chosen) return nullptr;
    if (source->is_there()) return source.get();
  }
  return nullptr;
}

bool SourceChain::has_returned() {
  return returned() != nullptr;
}

Result<Credentials, SourceFault> SourceChain::fetch(MonotonicTime deadline) {
  if (auto* const source = returned()) {
    // A failure of this source is not logged: the other one stays in use meanwhile.
    if (auto credentials = source->fetch(deadline)) {
      chosen_ = source;
      return credentials;
    }
  }
  if (auto* const chosen = chosen_.load()) {
    auto credentials = chosen->fetch(deadline);
    if (credentials || !credentials.error().absent) return credentials;
    chosen_ = nullptr;
  }
  std::string causes;
  for (const auto& source : sources_) {
    auto credentials = source->fetch(deadline);
    if (credentials) {
      chosen_ = source.get();
      return credentials;
    }
    const auto& fault = credentials.error();
    causes += (causes.empty() ? "" : "; ") + source->name() + ": " + fault.cause;
    if (!fault.absent) return Failure{SourceFault{.absent = false, .cause = causes}};
  }
  return Failure{SourceFault{.absent = true, .cause = causes}};
}

}  // namespace jobs_bridge::aws
