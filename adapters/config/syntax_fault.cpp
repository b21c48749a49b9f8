#include "adapters/config/syntax_fault.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "adapters/config/quote.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::config {
namespace {

/// How many lines an array may have for its missing end to be found.
constexpr std::size_t max_array = 100;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\r";
  const auto first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

using Lines = std::vector<std::string_view>;

/// The first ones.
Lines lines_of(std::string_view content, std::size_t count) {
  Lines lines;
  while (lines.size() < count && !content.empty()) {
    const auto end = content.find('\n');
    lines.push_back(trimmed(content.substr(0, end)));
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
  }
  return lines;
}

bool is_quote(char c) {
  return c == '"' || c == '\'';
}

/// Behind the closing quote of the string that begins at `at`; nothing: it has none.
std::optional<std::size_t> end_of_string(std::string_view text, std::size_t at) {
  const char mark = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == mark) return at + 1;
    if (text[at] == '\\' && mark == '"') ++at;
  }
  return std::nullopt;
}

/// Behind a value.
bool is_nothing(std::string_view rest) {
  rest = trimmed(rest);
  return rest.empty() || rest.front() == '#';
}

bool is_number(std::string_view value) {
  return value.find_first_not_of("0123456789+-._eExXabcdefABCDEF") == std::string_view::npos &&
         value.find_first_of("0123456789") != std::string_view::npos;
}

std::string_view header_of(std::string_view line) {
  return line.substr(0, line.find(']') + 1);
}

std::string_view key_of(std::string_view line) {
  return trimmed(line.substr(0, line.find('=')));
}

/// The index of the line that the last one repeats: the same section, or the same key in it.
std::optional<std::size_t> repeated_by_last(const Lines& lines) {
  const auto last = lines.back();
  const bool header = last.front() == '[';
  for (auto index = lines.size() - 1; index-- > 0;) {
    const auto line = lines[index];
    if (line.empty() || line.front() == '#') continue;
    if (header && header_of(line) == header_of(last)) return index;
    if (header) continue;
    if (line.front() == '[') return std::nullopt;
    if (line.find('=') != std::string_view::npos && key_of(line) == key_of(last)) return index;
  }
  return std::nullopt;
}

Problem no_closing_quote(char mark) {
  return {.message = "the string in this line has no closing quote",
          .hint = std::string("end it with ") + mark};
}

std::optional<Problem> explain_string(std::string_view value) {
  const char mark = value.front();
  if (value.substr(1).starts_with(std::string(2, mark))) return std::nullopt;
  const auto end = end_of_string(value, 0);
  if (!end) return no_closing_quote(mark);
  if (!is_nothing(value.substr(*end))) {
    return Problem{.message = "there is more in this line after the value",
                   .hint = "remove it, or put # before a comment"};
  }
  if (mark == '"' && value.substr(0, *end).find('\\') != std::string_view::npos) {
    return Problem{.message = "a backslash in double quotes begins an escape sequence",
                   .hint = "put the string in single quotes, or write each backslash twice"};
  }
  return std::nullopt;
}

std::optional<Problem> explain_array(std::string_view value) {
  bool is_element_before = false;
  for (std::size_t at = 1; at < value.size();) {
    const char c = value[at];
    if (is_quote(c)) {
      if (is_element_before) {
        return Problem{.message = "there is no comma between two elements of this array",
                       .hint = "separate them by commas"};
      }
      const auto end = end_of_string(value, at);
      if (!end) return no_closing_quote(c);
      at = *end;
      is_element_before = true;
      continue;
    }
    if (c == ']' || c == '#') return std::nullopt;
    if (c == ',') is_element_before = false;
    ++at;
  }
  return std::nullopt;
}

/// A value that begins with no quote and no bracket.
std::optional<Problem> explain_bare(std::string_view key, std::string_view value) {
  value = trimmed(value.substr(0, value.find('#')));
  if (value == "true" || value == "false" || is_number(value)) return std::nullopt;
  for (const auto* word : {"true", "false", "yes", "no", "on", "off"}) {
    if (!equal_ignoring_case(value, word)) continue;
    return Problem{.message = quote(value) + " is not a value in TOML",
                   .hint = "write true or false, in small letters"};
  }
  auto text = value;
  while (!text.empty() && is_quote(text.back())) text.remove_suffix(1);
  return Problem{
      .message = text == value ? "the value is not in quotes" : "the value has no opening quote",
      .hint = "write " + printable(key) + " = \"" + printable(text) + "\""};
}

std::optional<Problem> explain_header(std::string_view line) {
  if (line.find(']') != std::string_view::npos) return std::nullopt;
  const auto name = trimmed(line.substr(1, line.find('#') - 1));
  return Problem{.message = "the section's name has no closing bracket",
                 .hint = "write [" + printable(name) + "]"};
}

std::optional<Problem> explain_setting(std::string_view line) {
  const auto separator = line.find_first_of("=:");
  if (separator == std::string_view::npos) {
    return Problem{.message = "this is neither a section, nor a key with its value, nor a comment",
                   .hint = "write [section], or key = value, or put # before a comment"};
  }
  if (line[separator] == ':') {
    return Problem{.message = "a key and its value are separated by \"=\", not by a colon",
                   .hint = "write [section] on a line of its own, and key = value below it"};
  }
  const auto value = trimmed(line.substr(separator + 1));
  if (is_nothing(value)) {
    return Problem{.message = "there is no value after \"=\"",
                   .hint = "add it, or remove the line to have the default"};
  }
  if (is_quote(value.front())) return explain_string(value);
  if (value.front() == '[') return explain_array(value);
  return explain_bare(key_of(line), value);
}

bool leaves_array_open(std::string_view line) {
  const auto equals = line.find('=');
  if (line.empty() || line.front() == '#' || equals == std::string_view::npos) return false;
  const auto value = trimmed(line.substr(equals + 1));
  return value.starts_with('[') && value.find(']') == std::string_view::npos;
}

/// An array that begins above the last line, a section or a setting, and has not ended there.
std::optional<Problem> explain_open_array(const Lines& lines) {
  if (lines.back().front() != '[' && lines.back().find('=') == std::string_view::npos) {
    return std::nullopt;
  }
  for (auto index = lines.size() - 1; index-- > 0 && lines.size() - index <= max_array;) {
    if (leaves_array_open(lines[index])) {
      return Problem{.message = "the array that begins in line " + std::to_string(index + 1) +
                                " has no closing bracket",
                     .hint = "end it with ]"};
    }
    if (lines[index].find(']') != std::string_view::npos) return std::nullopt;
  }
  return std::nullopt;
}

/// A string of several lines, which may look like anything.
bool has_long_string(const Lines& lines) {
  return std::ranges::any_of(lines, [](std::string_view line) {
    return line.find("\"\"\"") != std::string_view::npos ||
           line.find("'''") != std::string_view::npos;
  });
}

}  // namespace

std::optional<Problem> explain_syntax(std::string_view content, std::uint32_t line) {
  const auto lines = lines_of(content, line);
  if (lines.size() < line || lines.back().empty()) return std::nullopt;
  const auto last = lines.back();
  if (has_long_string(lines)) return std::nullopt;
  if (last.front() == '{') {
    return Problem{.message = "this looks like JSON, and a TOML file is expected",
                   .hint = "write [section] on a line of its own, and key = value below it"};
  }
  if (auto problem = explain_open_array(lines)) return problem;
  const bool header = last.front() == '[';
  if (auto problem = header ? explain_header(last) : explain_setting(last)) return problem;
  const auto before = repeated_by_last(lines);
  if (!before) return std::nullopt;
  const std::string name = printable(header ? header_of(last) : key_of(last));
  return Problem{
      .message = name + " is here for the second time, after line " + std::to_string(*before + 1),
      .hint = header ? "put all of its keys below one of the two" : "remove one of the two lines"};
}

}  // namespace jobs_bridge::config
