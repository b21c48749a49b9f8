#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "bridge/ports.h"

namespace jobs_bridge::logging {

/// `event name=value name="quoted value"`: printable ASCII without a line's end, so that it stays
/// one line and moves no terminal's cursor. A value is quoted, with JSON's escapes, unless it is
/// plain; bytes that are no UTF-8 become U+FFFD.
std::string text_line(std::string_view event, std::initializer_list<Log::Field> fields);

/// `"event":"...","name":"value"}`: the members of a JSON object behind those that the caller
/// writes first, with the closing brace. Printable ASCII, the rest escaped. No name occurs twice,
/// nor `time` or `severity`: a field of that name gets a trailing underscore.
std::string json_members(std::string_view event, std::initializer_list<Log::Field> fields);

}  // namespace jobs_bridge::logging
