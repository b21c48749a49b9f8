#include "adapters/config/secret.h"

#include "adapters/config/file.h"
#include "adapters/config/quote.h"

namespace jobs_bridge::config {

Result<std::string, std::string> read_secret(const std::string& path) {
  constexpr std::size_t limit = 4096;
  auto content = read_file(path, limit);
  if (!content) return Failure{printable(path) + " " + content.error()};
  if (content->ends_with('\n')) {
    content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
  }
  if (content->empty()) return Failure{printable(path) + " is empty"};
  return content;
}

}  // namespace jobs_bridge::config
