#include "bridge/jobs/content_type.h"

#include <algorithm>

namespace jobs_bridge {
namespace {

char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

bool is_cbor(std::string_view content_type) {
  constexpr std::string_view white_space = " \t";
  auto type = content_type.substr(0, content_type.find(';'));
  type.remove_prefix(std::min(type.find_first_not_of(white_space), type.size()));
  type = type.substr(0, type.find_last_not_of(white_space) + 1);
  return std::ranges::equal(type, cbor_content_type, {}, lower_case);
}

}  // namespace jobs_bridge
