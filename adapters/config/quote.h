#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jobs_bridge::config {

/// The position of the first byte that is not part of well-formed UTF-8; npos if there is none.
std::size_t first_invalid_byte(std::string_view text);

/// Whether `text` contains a control character (below U+0020, U+007F to U+009F).
bool has_control_character(std::string_view text);

/// The form in which a message may quote hostile input: in quotes, printable ASCII and UTF-8 only,
/// the rest as `\xNN`, at most 64 bytes of it.
std::string quote(std::string_view text);

/// The same without quotes and with a limit that is enough for a path.
std::string printable(std::string_view text, std::size_t limit = 4096);

}  // namespace jobs_bridge::config
