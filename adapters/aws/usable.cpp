#include "adapters/aws/usable.h"

#include <string_view>
#include <utility>

#include "bridge/text/ascii.h"

namespace jobs_bridge::aws {
Result<Credentials, SourceFault> check_usable(Credentials credentials, const std::string& where) {
  const std::pair<std::string_view, const std::string*> parts[] = {
      {"access key id", &credentials.access_key_id},
      {"secret access key", &credentials.secret_access_key},
      {"session token", &credentials.session_token}};
  for (const auto& [what, text] : parts) {
    std::string fault;
    if (!is_visible(*text))
      fault = "contains a space, a control character or a non-ASCII character";
    if (text->empty() && what != "session token") fault = "is empty";
    // What AWS issues is far below; a megabyte in every request would be a mistake.
    if (text->size() > 16 * 1024) fault = "is longer than 16 KiB";
    if (!fault.empty()) {
      return Failure{SourceFault{.cause = where + ": the " + std::string(what) + " " + fault}};
    }
  }
  return credentials;
}

}  // namespace jobs_bridge::aws
