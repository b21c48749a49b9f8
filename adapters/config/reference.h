#pragma once

#include <iosfwd>

namespace jobs_bridge::config {

/// A complete configuration file: every key with its meaning, its range and its default.
void print_reference(std::ostream& out);

}  // namespace jobs_bridge::config
