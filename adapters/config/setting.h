#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/config/fault.h"
#include "adapters/config/key.h"

namespace jobs_bridge::config {

/// The layer that gave a value, in ascending order of precedence.
enum class Layer { standard, file, environment, command_line };

struct Origin {
  Layer layer = Layer::standard;
  std::string source;  ///< as in Fault
  std::uint32_t line = 0;
};

/// An element of a list, and where it is, since a list can span many lines.
struct Element {
  std::string value;
  std::uint32_t line = 0;  ///< as in Fault
};

/// A value of a key as it was given.
struct Setting {
  const Key* key = nullptr;
  std::string value;              ///< empty for a list
  std::vector<Element> elements;  ///< of a list
  Origin origin;
};

/// The setting of a key written as one string: `value` is split if the key takes a list.
Setting setting_in_one_piece(const Key& key, std::string value, Origin origin);

/// The settings of one layer.
struct Reading {
  std::vector<Setting> settings;
  std::vector<Fault> faults;
  std::vector<Fault> warnings;
  /// The layer could be read completely: what is not in `settings` was not given.
  bool complete = true;
};

}  // namespace jobs_bridge::config
