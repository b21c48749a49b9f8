#include "adapters/config/unsupported.h"

#include <string>
#include <string_view>

namespace jobs_bridge::config {
namespace {

void refuse(Review& review, std::string_view key, const std::string& what,
            const std::string& remedy) {
  review.fault(key, what + " is not supported by version " JOBS_BRIDGE_VERSION " yet",
               "set " + remedy);
}

void warn_without_effect(Review& review, std::string_view key, std::string_view off) {
  if (!review.is_given(key) || !review.is_sound({key}) || review.text(key) == off) return;
  review.warn(key, "has no effect in version " JOBS_BRIDGE_VERSION, "leave it out");
}

}  // namespace

void check_unsupported(Review& review) {
  const auto& configuration = review.configuration;
  if (configuration.credentials.source != CredentialSource::none &&
      review.is_sound({"credentials.source"})) {
    refuse(review, "credentials.source", "\"" + review.text("credentials.source") + "\"",
           "credentials.source = \"none\"");
  }
  if (configuration.endpoint.proxy) {
    refuse(review, "endpoint.proxy", "a proxy", "endpoint.proxy = \"\"");
  }
  warn_without_effect(review, "admin.listen", "");
}

}  // namespace jobs_bridge::config
