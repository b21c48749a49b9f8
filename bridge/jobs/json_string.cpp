#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "bridge/jobs/json_text.h"
#include "bridge/text/ascii.h"

/// Decoding and encoding of JSON strings.
namespace jobs_bridge::json_text {
namespace {

/// Takes an escape, which has been checked, off the front: the UTF-16 unit that it stands for.
unsigned take_escape(std::string_view& text) {
  const char kind = text[1];
  text.remove_prefix(2);
  if (kind != 'u') {
    constexpr std::string_view kinds = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    return static_cast<unsigned char>(meanings[kinds.find(kind)]);
  }
  unsigned code = 0;
  std::from_chars(text.data(), text.data() + 4, code, 16);
  text.remove_prefix(4);
  return code;
}

/// Takes the next character off the front of a key: ASCII as itself, every other as something that
/// is not ASCII.
unsigned next_character(std::string_view& key) {
  constexpr unsigned not_ascii = 0x80;
  if (key.front() == '\\') return std::min(take_escape(key), not_ascii);
  const auto character = static_cast<unsigned char>(key.front());
  key.remove_prefix(1);
  return character;
}

void append_utf_8(unsigned code, std::string& text) {
  const auto byte = [&text](unsigned value) { text += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
    return;
  }
  if (code < 0x800) {
    byte(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      byte(0xE0 | (code >> 12));
    } else {
      byte(0xF0 | (code >> 18));
      byte(0x80 | ((code >> 12) & 0x3F));
    }
    byte(0x80 | ((code >> 6) & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

/// Takes a character that is escaped, as one escape or a surrogate pair of two, off the front of
/// `rest`. False: half a pair.
bool decode_escape(std::string_view& rest, std::string& text) {
  const auto is_high = [](unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; };
  const auto is_low = [](unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; };
  unsigned code = take_escape(rest);
  if (is_low(code)) return false;
  if (is_high(code)) {
    if (!rest.starts_with("\\u")) return false;
    const unsigned low = take_escape(rest);
    if (!is_low(low)) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf_8(code, text);
  return true;
}

/// The text between the quotes of a string value.
std::string_view content_of(std::string_view value) {
  return value.substr(1, value.size() - 2);
}

/// Adds the characters that `content` stands for. False: it holds half a surrogate pair.
bool append_decoded(std::string_view content, std::string& text) {
  while (true) {
    const auto escape = content.find('\\');
    text += content.substr(0, escape);
    if (escape == std::string_view::npos) return true;
    content.remove_prefix(escape);
    if (!decode_escape(content, text)) return false;
  }
}

}  // namespace

bool Member::is(std::string_view name) const {
  if (key.find('\\') == std::string_view::npos) return key == name;
  auto rest = key;
  for (const char c : name) {
    if (rest.empty() || next_character(rest) != static_cast<unsigned char>(c)) return false;
  }
  return rest.empty();
}

std::optional<std::string> decode_string(std::string_view value) {
  const auto content = content_of(value);
  std::string text;
  text.reserve(content.size());
  if (!append_decoded(content, text)) return std::nullopt;
  return text;
}

std::optional<std::string_view> decode(std::string_view content, std::string& storage) {
  if (content.find('\\') == std::string_view::npos) return content;
  storage.clear();
  if (!append_decoded(content, storage)) return std::nullopt;
  return storage;
}

void ObjectWriter::unwrapped_member(std::string_view key, std::string_view value) {
  name(key);
  const auto start = text_.size();
  if (is_string(value) && append_decoded(content_of(value), text_) &&
      is_json(std::string_view(text_).substr(start))) {
    return;
  }
  text_.resize(start);
  text_ += value;
}

std::string encode_string(std::string_view text) {
  const bool plain =
      std::ranges::all_of(text, [](char c) { return is_printable(c) && c != '"' && c != '\\'; });
  if (plain) return '"' + std::string(text) + '"';
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace jobs_bridge::json_text
