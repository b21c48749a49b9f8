#pragma once

#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string_view>

#include "bridge/ports/log.h"

namespace jobs_bridge::logging {

/// How an event becomes a line:
/// text: `2026-01-01T12:00:00.123Z warning endpoint call failed thing=x detail="a b"`
/// json: `{"time":"2026-01-01T12:00:00.123Z","severity":"warning","event":...,"thing":"x",...}`
enum class Format { text, json };

/// The log: one line for each event, whatever a field holds, in UTC. Fields without a value are
/// left out. Lines that the reader does not take are dropped, and their number is logged once it
/// reads again. Any thread may call any function; none throws.
class StructuredLog final : public Log {
 public:
  /// Writes to `descriptor`, which must stay open: a pipe, a socket, a terminal or a file.
  StructuredLog(Format format, Severity level, int descriptor);
  /// Writes to `out` instead, which must outlive the log.
  StructuredLog(Format format, Severity level, std::ostream& out);
  StructuredLog(const StructuredLog&) = delete;
  StructuredLog& operator=(const StructuredLog&) = delete;
  ~StructuredLog() override;

  /// Less severe events are dropped from now on.
  void set_level(Severity level);

  [[nodiscard]] bool enabled(Severity severity) const override;
  using Log::write;
  void write(Severity severity, std::string_view event,
             std::initializer_list<Field> fields) override;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jobs_bridge::logging
