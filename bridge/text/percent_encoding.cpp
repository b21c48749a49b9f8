#include "bridge/text/percent_encoding.h"

#include "bridge/text/ascii.h"
#include "bridge/text/hex.h"

namespace jobs_bridge {
namespace {

bool is_unreserved(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

}  // namespace

void append_percent_encoded(std::string& to, std::string_view text) {
  for (const char c : text) {
    if (is_unreserved(c)) {
      to += c;
    } else {
      append_hex(to += '%', c, capital_hex_digits);
    }
  }
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '%' && at + 2 < text.size();
    const int high = escape ? hex_digit_value(text[at + 1]) : -1;
    const int low = escape ? hex_digit_value(text[at + 2]) : -1;
    if (high >= 0 && low >= 0) {
      result += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      result += text[at];
    }
  }
  return result;
}

}  // namespace jobs_bridge
