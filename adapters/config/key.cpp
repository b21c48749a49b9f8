#include "adapters/config/key.h"

#include <algorithm>

#include "bridge/text/ascii.h"

namespace jobs_bridge::config {
namespace {

std::string in_quotes(std::string_view text) {
  return std::string("\"").append(text).append("\"");
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> elements;
  if (trimmed(text).empty()) return elements;
  while (true) {
    const auto comma = std::min(text.find(','), text.size());
    elements.emplace_back(trimmed(text.substr(0, comma)));
    if (comma == text.size()) return elements;
    text.remove_prefix(comma + 1);
  }
}

std::string Key::default_line() const {
  std::string line = std::string(name).append(" = ");
  if (type.kind == ValueKind::text) return line + in_quotes(default_value);
  if (type.kind == ValueKind::text_or_list) return line + in_quotes(default_value);
  if (type.kind != ValueKind::list) return line.append(default_value);
  line += '[';
  const char* separator = "";
  for (const auto& element : split_list(default_value)) {
    line.append(separator).append(in_quotes(element));
    separator = ", ";
  }
  return line + ']';
}

}  // namespace jobs_bridge::config
