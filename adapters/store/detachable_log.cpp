#include "adapters/store/detachable_log.h"

namespace jobs_bridge::store {

bool DetachableLog::enabled(Severity severity) const {
  const std::lock_guard lock(mutex_);
  return inner_ != nullptr && inner_->enabled(severity);
}

void DetachableLog::write(Severity severity, std::string_view event,
                          std::initializer_list<Field> fields) {
  const std::lock_guard lock(mutex_);
  if (inner_ != nullptr) inner_->write(severity, event, fields);
}

void DetachableLog::detach() {
  const std::lock_guard lock(mutex_);
  inner_ = nullptr;
}

}  // namespace jobs_bridge::store
