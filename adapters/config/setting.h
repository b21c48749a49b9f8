#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/config/fault.h"
#include "adapters/config/key.h"

namespace jobs_bridge::config {

/// Where a value was given, in the order of precedence.
enum class Layer { standard, file, environment, command_line };

struct Origin {
  Layer layer = Layer::standard;
  std::string source;  ///< as in Fault
  std::uint32_t line = 0;
};

/// An element of a list, and where it is: a long list takes many lines.
struct Element {
  std::string value;
  std::uint32_t line = 0;  ///< as in Fault
};

/// A value of a key as somebody gave it.
struct Setting {
  const Key* key = nullptr;
  std::string value;              ///< empty for a list
  std::vector<Element> elements;  ///< of a list
  Origin origin;
};

/// The setting of a key that is written in one piece: `value` is split if the key takes a list.
Setting setting_in_one_piece(const Key& key, std::string value, Origin origin);

/// What one layer says.
struct Reading {
  std::vector<Setting> settings;
  std::vector<Fault> faults;
  std::vector<Fault> warnings;
  /// The layer could be read as a whole: what is not in `settings` was not given.
  bool complete = true;
};

}  // namespace jobs_bridge::config
