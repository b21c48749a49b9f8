#include "bridge/jobs/content_type.h"

#include "bridge/text/ascii.h"

namespace jobs_bridge {
bool is_cbor(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  return equal_ignoring_case(trimmed(type), cbor_content_type);
}

}  // namespace jobs_bridge
