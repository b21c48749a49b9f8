#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "bridge/ports/log.h"
#include "bridge/time.h"

namespace jobs_bridge::logging {

/// Keeps a fault that occurs with every request from filling the disk: of each event that is a
/// warning or an error it passes on `lines` in each window, counts the rest, and reports their
/// number (`suppressed=1234`) in a line of its own: before the first such event after the window,
/// or when asked to. Any thread may call it.
class RateLimitedLog final : public Log {
 public:
  using Clock = std::function<MonotonicTime()>;
  struct Limit {
    std::size_t lines = 10;
    Duration window = std::chrono::seconds(60);
  };

  /// `inner` must outlive this log. `clock` must not throw.
  explicit RateLimitedLog(Log& inner) : RateLimitedLog(inner, Limit{}) {}
  RateLimitedLog(Log& inner, Limit limit, Clock clock = std::chrono::steady_clock::now);
  RateLimitedLog(const RateLimitedLog&) = delete;
  RateLimitedLog& operator=(const RateLimitedLog&) = delete;
  ~RateLimitedLog() override;

  /// Reports now what was left out so far.
  void report_suppressed();

  [[nodiscard]] bool enabled(Severity severity) const override { return inner_.enabled(severity); }
  using Log::write;
  void write(Severity severity, std::string_view event,
             std::initializer_list<Field> fields) override;

 private:
  struct Window {
    MonotonicTime start;
    std::size_t written = 0;
    std::uint64_t suppressed = 0;
    Severity severity = Severity::warning;  ///< the worst of what was suppressed
  };
  struct Verdict {
    bool write = true;
    bool shared = false;  ///< the event has no window of its own
    std::uint64_t suppressed_before = 0;
    Severity suppressed_severity = Severity::warning;
  };

  Verdict judge(Severity severity, std::string_view event);
  void write_suppressed(Severity severity, std::string_view event, std::uint64_t count);

  Log& inner_;
  const Limit limit_;
  const Clock clock_;
  std::mutex mutex_;
  std::map<std::string, Window, std::less<>> windows_;  ///< by event
};

}  // namespace jobs_bridge::logging
