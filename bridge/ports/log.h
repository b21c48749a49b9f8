#pragma once

#include <initializer_list>
#include <string_view>

namespace jobs_bridge {

enum class Severity { trace, debug, info, warning, error };

/// The log of events that matter to an operator. Any thread may call it; it does not throw, and it
/// blocks on nothing but the write itself. Callers never pass a secret.
class Log {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  virtual ~Log() = default;
  [[nodiscard]] virtual bool enabled(Severity severity) const = 0;
  /// `event` is a constant sentence without values; the values are fields.
  virtual void write(Severity severity, std::string_view event,
                     std::initializer_list<Field> fields) = 0;
  void write(Severity severity, std::string_view event) { write(severity, event, {}); }
};

}  // namespace jobs_bridge
