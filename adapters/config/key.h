#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/config/configuration.h"

namespace jobs_bridge::config {

/// What is wrong with a value and what would be right.
struct Problem {
  std::string message;
  std::string hint;
};

/// How a value is written in TOML.
enum class ValueKind {
  text,
  integer,
  real,
  boolean,
  list,
  text_or_list,  ///< a list, which may be written as the text of its only element
};

constexpr bool is_list(ValueKind kind) {
  return kind == ValueKind::list || kind == ValueKind::text_or_list;
}

/// What the daemon does with the file that a value names.
enum class FileUse { none, read, read_secret };

/// What values a key takes and where they go.
struct ValueType {
  ValueKind kind = ValueKind::text;
  /// Completes "one of", "from 1s to 1h" and the like: what is allowed, for the reference.
  std::string range;
  /// Stores the value in the configuration, unless it is invalid. For a list it takes one element
  /// at a time and appends it.
  std::function<std::optional<Problem>(Configuration&, const std::string&)> assign;
  FileUse file = FileUse::none;
  /// Whether `{hostname}` and `{ordinal}` in it are replaced.
  bool host_placeholders = false;
};

struct Key {
  std::string_view name;
  /// In the form of an override: the elements of a list separated by commas.
  std::string_view default_value;
  ValueType type;
  /// One sentence for an operator.
  std::string_view help;
  /// `section.key`
  std::string path = {};

  /// `name = value` as a TOML file has it, with the default for the value.
  [[nodiscard]] std::string default_line() const;
};

/// The elements of a comma-separated list. Spaces around elements are dropped; a text of spaces
/// only is an empty list.
std::vector<std::string> split_list(std::string_view text);

struct Section {
  std::string_view name;
  std::string_view help;
  std::vector<Key> keys;
};

}  // namespace jobs_bridge::config
