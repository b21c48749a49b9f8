#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jobs_bridge::config {

/// Where the first byte is that is not part of well-formed UTF-8; npos if there is none.
std::size_t first_invalid_byte(std::string_view text);

/// Whether `text` holds a control character (below U+0020, U+007F to U+009F).
bool has_control_character(std::string_view text);

/// What a message may repeat of hostile input: between quotes, printable ASCII and UTF-8 only, the
/// rest as `\xNN`, at most 64 bytes of it.
std::string quote(std::string_view text);

/// The same without the quotes and with room for a path.
std::string printable(std::string_view text, std::size_t limit = 4096);

}  // namespace jobs_bridge::config
