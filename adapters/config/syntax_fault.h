#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "adapters/config/key.h"

namespace jobs_bridge::config {

/// What is wrong in that line (from 1) of a file that is not valid TOML, and how to correct it. It
/// is found in the lines themselves, since the parser's message says what the parser expected and
/// not what is wrong. Nothing if it is none of the usual mistakes.
std::optional<Problem> explain_syntax(std::string_view content, std::uint32_t line);

}  // namespace jobs_bridge::config
