#pragma once

#include <initializer_list>
#include <mutex>
#include <string_view>

#include "bridge/ports.h"

namespace jobs_bridge::store {

/// Passes on what is written until it is detached: for a thread that may outlive the log.
class DetachableLog final : public Log {
 public:
  explicit DetachableLog(Log& inner) : inner_(&inner) {}

  [[nodiscard]] bool enabled(Severity severity) const override;
  using Log::write;
  void write(Severity severity, std::string_view event,
             std::initializer_list<Field> fields) override;
  /// Waits for a line that is being written; the inner log is not used after it.
  void detach();

 private:
  mutable std::mutex mutex_;
  Log* inner_;
};

}  // namespace jobs_bridge::store
