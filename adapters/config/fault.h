#pragma once

#include <cstdint>
#include <string>

namespace jobs_bridge::config {

/// An error in the configuration, or a warning, in readable form. No part of it contains a secret
/// or a control character.
struct Fault {
  std::string source;        ///< a file's path, `--set` or `environment JOBS_BRIDGE_SECTION_KEY`
  std::uint32_t line = 0;    ///< from 1; 0: not in a line of a file
  std::uint32_t column = 0;  ///< from 1; 0: unknown
  std::string key;           ///< `section.key` or `section`; empty: the source as a whole
  std::string message;       ///< what is wrong
  std::string hint;          ///< what would be right

  bool operator==(const Fault&) const = default;
};

/// `path:line: section.key: what is wrong; what would be right`, without a newline.
std::string to_string(const Fault& fault);

}  // namespace jobs_bridge::config
