#pragma once

#include <string>

#include "tests/load/tally.h"

namespace jobs_load {

/// For a person: a few lines.
[[nodiscard]] std::string as_text(const Tally::Summary& summary);
/// For a program: one object. Latencies are in milliseconds.
[[nodiscard]] std::string as_json(const Tally::Summary& summary);

}  // namespace jobs_load
