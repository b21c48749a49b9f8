#include "adapters/config/secret.h"

#include "adapters/config/quote.h"
#include "adapters/files/file.h"

namespace jobs_bridge::config {

Result<std::string, std::string> read_secret(const std::string& path) {
  constexpr std::size_t limit = 4096;
  auto content = files::read_file(path, limit);
  if (!content) return Failure{printable(path) + " " + content.error().cause};
  if (content->ends_with('\n')) {
    content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
  }
  if (content->empty()) return Failure{printable(path) + " is empty"};
  return *std::move(content);
}

}  // namespace jobs_bridge::config
