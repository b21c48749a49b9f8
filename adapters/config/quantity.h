#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bridge/result.h"

namespace jobs_bridge::config {

/// A whole number and one of the units us, ms, s, m or min, h, d: `500ms`. Only whole milliseconds
/// are allowed: `2000us` is valid, `1500us` is not. The error tells what is expected, and what was
/// probably meant.
Result<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);

/// A whole number and one of the units B, KB, MB, GB (of 1000), KiB, MiB, GiB (of 1024).
Result<std::uint64_t, std::string> parse_size(std::string_view text);

}  // namespace jobs_bridge::config
