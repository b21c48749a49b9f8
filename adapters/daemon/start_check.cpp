#include "adapters/daemon/start_check.h"

#include "adapters/admin/access.h"
#include "adapters/config/quote.h"
#include "adapters/config/secret.h"
#include "adapters/daemon/file_check.h"

namespace jobs_bridge {

std::vector<config::Fault> check_start(const config::LoadOutcome& loaded) {
  std::vector<config::Fault> faults;
  const auto& configuration = *loaded.configuration;
  const auto& admin = configuration.admin;
  if (admin.listen && !admin.token_file.empty()) {
    const auto token = config::read_secret(admin.token_file);
    if (!token) {
      faults.push_back(loaded.fault_of("admin.token_file", token.error(),
                                       "expected a file with one line, the token"));
    } else if (!admin::is_token(*token)) {
      faults.push_back(loaded.fault_of("admin.token_file", std::string(admin::no_token),
                                       std::string(admin::token_hint)));
    }
  }
  for (const auto& file : stores_of(configuration)) {
    if (const auto why = file.why_refused(file.path)) {
      faults.push_back(loaded.fault_of(file.key, config::printable(file.path) + " " + *why,
                                       hint_for_refused(file)));
    }
  }
  return faults;
}

}  // namespace jobs_bridge
