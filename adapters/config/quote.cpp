#include "adapters/config/quote.h"

#include <algorithm>
#include <cstddef>

#include "bridge/text/ascii.h"
#include "bridge/text/hex.h"

namespace jobs_bridge::config {
namespace {

unsigned byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

struct Range {
  unsigned first;
  unsigned last;
};

/// The length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7); 0 if there is
/// none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const unsigned lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  Range second{0x80, 0xBF};
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) second.first = 0xA0;
    if (lead == 0xED) second.last = 0x9F;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) second.first = 0x90;
    if (lead == 0xF4) second.last = 0x8F;
  }
  if (length == 0 || text.size() - at < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned byte = byte_at(text, at + i);
    const Range allowed = i == 1 ? second : Range{0x80, 0xBF};
    if (byte < allowed.first || byte > allowed.last) return 0;
  }
  return length;
}

/// `character` is a whole UTF-8 sequence, or one byte that begins none.
bool is_control_character(std::string_view character) {
  if (character.size() == 1) return is_control(character.front());
  return character.front() == '\xC2' && byte_at(character, 1) < 0xA0;
}

}  // namespace

std::size_t first_invalid_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

bool has_control_character(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(sequence_length(text, at), 1);
    if (is_control_character(text.substr(at, length))) return true;
    at += length;
  }
  return false;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t known = sequence_length(text, at);
    const std::size_t length = std::max<std::size_t>(known, 1);
    if (at + length > limit) return result + "...";
    const auto character = text.substr(at, length);
    if (known > 0 && !is_control_character(character)) {
      result += character;
    } else {
      for (const char c : character) append_hex(result += "\\x", c);
    }
    at += length;
  }
  return result;
}

std::string quote(std::string_view text) {
  return '"' + printable(text, 64) + '"';
}

}  // namespace jobs_bridge::config
