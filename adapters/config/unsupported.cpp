#include "adapters/config/unsupported.h"

#include <string>
#include <string_view>

namespace jobs_bridge::config {
namespace {

void warn_without_effect(Review& review, std::string_view key, std::string_view off) {
  if (!review.is_given(key) || !review.is_sound({key}) || review.text(key) == off) return;
  review.warn(key, "has no effect in version " JOBS_BRIDGE_VERSION, "leave it out");
}

}  // namespace

void check_unsupported(Review& review) {
  warn_without_effect(review, "admin.listen", "");
}

}  // namespace jobs_bridge::config
