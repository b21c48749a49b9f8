#include "adapters/config/toml_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "adapters/config/keys.h"
#include "adapters/config/quote.h"
#include "adapters/config/syntax_fault.h"
#include "adapters/config/unknown.h"
#include "adapters/files/file.h"

namespace jobs_bridge::config {
namespace {

constexpr std::size_t max_file = std::size_t{1} << 20U;

std::string_view name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or a time";
  }
}

std::string_view name_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::text:
      return "a string";
    case ValueKind::integer:
      return "a whole number";
    case ValueKind::real:
      return "a number";
    case ValueKind::boolean:
      return "a boolean";
    case ValueKind::list:
      return "an array of strings";
    case ValueKind::text_or_list:
      return "a string or an array of strings";
  }
  return "a value";
}

std::string to_text(double number) {
  std::array<char, 64> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), result.ptr};
}

/// The value in the form in which every layer gives it; nothing if its type is not the key's or it
/// is an array.
std::optional<std::string> value_of(const toml::node& node, ValueKind kind) {
  switch (kind) {
    case ValueKind::text:
    case ValueKind::text_or_list:
      if (const auto* text = node.as_string()) return text->get();
      return std::nullopt;
    case ValueKind::boolean:
      if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
      return std::nullopt;
    case ValueKind::real:
      if (const auto* number = node.as_floating_point()) return to_text(number->get());
      [[fallthrough]];
    case ValueKind::integer:
      if (const auto* number = node.as_integer()) return std::to_string(number->get());
      return std::nullopt;
    case ValueKind::list:
      return std::nullopt;
  }
  return std::nullopt;
}

/// Walks through a parsed file.
class Walk {
 public:
  Walk(const std::string& path, Reading& reading) : path_(path), reading_(reading) {}

  void document(const toml::table& table) {
    for (const auto& [name, node] : table) {
      const Section* const known = find_section(name.str());
      if (known == nullptr) {
        fault(name.source().begin.line, std::string(name.str()), unknown_section(name.str()));
      } else if (!node.is_table()) {
        fault(name.source().begin.line, std::string(name.str()),
              {.message = std::string("must be a section, but is ").append(name_of(node.type())),
               .hint = "write [" + std::string(name.str()) + "] on a line of its own"});
      } else {
        section(*known, *node.as_table());
      }
    }
  }

 private:
  void section(const Section& section, const toml::table& table) {
    for (const auto& [name, node] : table) {
      const auto line = name.source().begin.line;
      const Key* const key = find_key(section.name, name.str());
      if (key == nullptr) {
        fault(line, std::string(section.name).append(".").append(name.str()),
              unknown_key(section, name.str()));
      } else if (is_list(key->type.kind) && node.is_array()) {
        list(*key, line, *node.as_array());
      } else if (auto value = value_of(node, key->type.kind)) {
        Setting setting{.key = key, .value = {}, .elements = {}, .origin = origin(line)};
        if (is_list(key->type.kind)) {
          setting.elements.push_back({.value = std::move(*value), .line = line});
        } else {
          setting.value = std::move(*value);
        }
        reading_.settings.push_back(std::move(setting));
      } else {
        fault(line, key->path, wrong_type(*key, node.type()));
      }
    }
  }

  void list(const Key& key, std::uint32_t line, const toml::array& array) {
    Setting setting{.key = &key, .value = {}, .elements = {}, .origin = origin(line)};
    std::size_t number = 0;
    for (const auto& node : array) {
      ++number;
      const auto element_line = node.source().begin.line;
      if (const auto* text = node.as_string()) {
        setting.elements.push_back({.value = text->get(), .line = element_line});
        continue;
      }
      Problem problem{.message = "element " + std::to_string(number) + " must be a string, but is ",
                      .hint = "put every element in quotes"};
      problem.message.append(name_of(node.type()));
      fault(element_line, key.path, std::move(problem));
    }
    if (setting.elements.size() == number) reading_.settings.push_back(std::move(setting));
  }

  [[nodiscard]] Origin origin(std::uint32_t line) const {
    return {.layer = Layer::file, .source = path_, .line = line};
  }

  static Problem wrong_type(const Key& key, toml::node_type type) {
    Problem problem;
    problem.message.append("must be ").append(name_of(key.type.kind));
    problem.message.append(", but is ").append(name_of(type));
    problem.hint = "for example: " + key.default_line();
    return problem;
  }

  void fault(std::uint32_t line, const std::string& key, Problem problem) {
    reading_.faults.push_back({.source = path_,
                               .line = line,
                               .key = key,
                               .message = std::move(problem.message),
                               .hint = std::move(problem.hint)});
  }

  const std::string& path_;
  Reading& reading_;
};

Reading unreadable(const std::string& path, std::string message, std::string hint,
                   std::uint32_t line = 0, std::uint32_t column = 0) {
  Reading reading;
  reading.complete = false;
  reading.faults.push_back({.source = path,
                            .line = line,
                            .column = column,
                            .key = {},
                            .message = std::move(message),
                            .hint = std::move(hint)});
  return reading;
}

/// A table with nothing but `value`; nothing: the text is more than a value, or none.
std::optional<toml::table> value_in_toml(const std::string& text) {
  try {
    auto table = toml::parse("value = " + text);
    if (table.size() == 1) return table;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Reading read_toml_file(const std::string& path) {
  if (path.empty())
    return unreadable("--config", "names no file", "give the path of the configuration file");
  const auto content = files::read_file(path, max_file);
  if (!content)
    return unreadable(path, content.error().cause, "expected a TOML file that the bridge can read");
  if (content->find_first_not_of(" \t\r\n") == std::string::npos) {
    Reading reading;
    reading.warnings.push_back({.source = path,
                                .key = {},
                                .message = "is empty, so every key has its default",
                                .hint = "\"jobs-bridge check --help\" lists every key"});
    return reading;
  }
  if (const auto at = first_invalid_byte(*content); at != std::string::npos) {
    const auto end = content->begin() + static_cast<std::ptrdiff_t>(at);
    const auto line = static_cast<std::uint32_t>(std::count(content->begin(), end, '\n')) + 1;
    return unreadable(path, "is not UTF-8", "save it as UTF-8", line);
  }
  try {
    const toml::table table = toml::parse(*content, path);
    Reading reading;
    Walk(path, reading).document(table);
    return reading;
  } catch (const toml::parse_error& error) {
    const auto [line, column] = error.source().begin;
    const auto parser = printable(error.description());
    if (auto problem = explain_syntax(*content, line)) {
      return unreadable(path, std::move(problem->message),
                        problem->hint + " (the TOML parser says: " + parser + ")", line, column);
    }
    return unreadable(path, "is not valid TOML: " + parser, "correct the TOML syntax (see toml.io)",
                      line, column);
  }
}

std::optional<std::string> unquote_toml(const std::string& text) {
  const auto table = value_in_toml(text);
  return table ? (*table)["value"].value_exact<std::string>() : std::nullopt;
}

std::optional<std::vector<std::string>> strings_in_toml(const std::string& text) {
  const auto table = value_in_toml(text);
  const auto* array = table ? (*table)["value"].as_array() : nullptr;
  if (array == nullptr || !(array->empty() || array->is_homogeneous<std::string>())) {
    return std::nullopt;
  }
  std::vector<std::string> strings;
  for (const auto& node : *array) strings.push_back(node.as_string()->get());
  return strings;
}

}  // namespace jobs_bridge::config
