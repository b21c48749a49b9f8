#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/config/configuration.h"
#include "adapters/config/fault.h"
#include "adapters/config/setting.h"

namespace jobs_bridge::config {

/// The effective settings, one for each key, by `section.key`.
using EffectiveSettings = std::map<std::string, Setting, std::less<>>;

/// A configuration while it is checked: the values of its keys, where they were set, and the
/// findings.
class Review {
 public:
  explicit Review(EffectiveSettings settings) : settings_(std::move(settings)) {}

  /// Values that are invalid by themselves are not stored here.
  Configuration configuration;

  [[nodiscard]] const EffectiveSettings& settings() const { return settings_; }
  /// The value as written, with placeholders replaced; empty for a list.
  [[nodiscard]] const std::string& text(std::string_view key) const;
  /// Whether it was set explicitly, even to the default.
  [[nodiscard]] bool is_given(std::string_view key) const;
  /// Whether none of these keys has a fault so far, so that further checks make sense.
  [[nodiscard]] bool have_no_fault(std::initializer_list<std::string_view> keys) const;

  /// Lets `alter` change the value, or each element; a problem is a fault.
  void change(std::string_view key,
              const std::function<std::optional<Problem>(std::string& value)>& alter);
  /// Drops all other elements of the list.
  void keep_element(std::string_view key, std::size_t index);

  /// Notes that a layer gave this key a value that could not be read.
  void mark_faulty(std::string_view key) { faulty_.emplace(key); }

  /// Faults and warnings are reported at the place where the key was set.
  void fault(std::string_view key, std::string message, std::string hint);
  void warn(std::string_view key, std::string message, std::string hint);
  /// The same at the place of that element of the key's list; `index` counts from 0, the message
  /// counts from 1, unless the list is written as its only element.
  void fault_of_element(std::string_view key, std::size_t index, const std::string& message,
                        std::string hint);
  void warn_of_element(std::string_view key, std::size_t index, const std::string& message,
                       std::string hint);

  struct Finding {
    Layer layer;
    Fault fault;
  };
  [[nodiscard]] const std::vector<Finding>& faults() const { return faults_; }
  [[nodiscard]] const std::vector<Finding>& warnings() const { return warnings_; }

 private:
  [[nodiscard]] Finding finding(std::string_view key, std::string message, std::string hint) const;
  [[nodiscard]] Finding finding_of_element(std::string_view key, std::size_t index,
                                           const std::string& message, std::string hint) const;

  EffectiveSettings settings_;
  std::vector<Finding> faults_;
  std::vector<Finding> warnings_;
  std::set<std::string, std::less<>> faulty_;
};

}  // namespace jobs_bridge::config
