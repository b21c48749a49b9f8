#include "adapters/config/reference.h"

#include <ostream>
#include <string>

#include "adapters/config/keys.h"

namespace jobs_bridge::config {
namespace {

constexpr std::string_view introduction =
    R"(# The configuration of jobs-bridge: every key with its meaning and its default. A key that is left
# out has its default; an unknown key is an error.
#
# A key can also be set by --set section.key=value and by the environment variable
# JOBS_BRIDGE_SECTION_KEY; --set wins over the environment, the environment over this file. There, a
# list is written without brackets and quotes: one,another.
)";

/// `words` as comment lines of 100 characters at most.
void print_comment(std::ostream& out, const std::string& words) {
  constexpr std::size_t width = 98;
  std::size_t at = 0;
  while (words.size() - at > width) {
    const std::size_t space = words.rfind(' ', at + width);
    if (space == std::string::npos || space <= at) break;
    out << "# " << words.substr(at, space - at) << '\n';
    at = space + 1;
  }
  out << "# " << words.substr(at) << '\n';
}

void print_key(std::ostream& out, const Key& key) {
  std::string words(key.help);
  if (!key.type.range.empty()) {
    words += key.type.kind == ValueKind::boolean ? "" : " Allowed: " + key.type.range + ".";
  }
  print_comment(out, words);
  out << key.default_line() << '\n';
}

}  // namespace

void print_reference(std::ostream& out) {
  out << introduction;
  for (const auto& section : sections()) {
    out << '\n';
    print_comment(out, std::string(section.help));
    out << '[' << section.name << "]\n";
    for (const auto& key : section.keys) print_key(out, key);
  }
}

}  // namespace jobs_bridge::config
