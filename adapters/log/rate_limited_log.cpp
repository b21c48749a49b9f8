#include "adapters/log/rate_limited_log.h"

#include <algorithm>
#include <utility>

namespace jobs_bridge::logging {
namespace {

// Events are constants of the program, so there are far fewer of them. Should one be made of values
// after all, the rest shares one window instead of growing without bound.
constexpr std::size_t max_events = 1024;
constexpr std::string_view other_events = "other events";

}  // namespace

RateLimitedLog::RateLimitedLog(Log& inner, Limit limit, Clock clock)
    : inner_(inner), limit_(limit), clock_(std::move(clock)) {}

RateLimitedLog::~RateLimitedLog() {
  report_suppressed();
}

void RateLimitedLog::report_suppressed() {
  const std::lock_guard lock(mutex_);
  for (auto& [event, window] : windows_) {
    const auto count = std::exchange(window.suppressed, 0);
    if (count > 0) write_suppressed(window.severity, event, count);
  }
}

void RateLimitedLog::write(Severity severity, std::string_view event,
                           std::initializer_list<Field> fields) {
  if (!inner_.enabled(severity)) return;
  Verdict verdict;
  if (severity >= Severity::warning) {
    try {
      verdict = judge(severity, event);
    } catch (...) {  // NOLINT(bugprone-empty-catch): without memory to count in, write
    }
  }
  if (verdict.suppressed_before > 0) {
    write_suppressed(verdict.suppressed_severity, verdict.shared ? other_events : event,
                     verdict.suppressed_before);
  }
  if (verdict.write) inner_.write(severity, event, fields);
}

RateLimitedLog::Verdict RateLimitedLog::judge(Severity severity, std::string_view event) {
  const MonotonicTime now = clock_();
  const std::lock_guard lock(mutex_);
  auto found = windows_.find(event);
  if (found == windows_.end()) {
    const std::string_view name = windows_.size() < max_events ? event : other_events;
    found = windows_.try_emplace(std::string(name), Window{.start = now}).first;
  }
  Window& window = found->second;
  Verdict verdict;
  verdict.shared = found->first != event;
  if (now - window.start >= limit_.window) {
    verdict.suppressed_before = window.suppressed;
    verdict.suppressed_severity = window.severity;
    window = Window{.start = now};
  }
  if (window.written < limit_.lines) {
    ++window.written;
    return verdict;
  }
  ++window.suppressed;
  window.severity = std::max(window.severity, severity);
  verdict.write = false;
  return verdict;
}

void RateLimitedLog::write_suppressed(Severity severity, std::string_view event,
                                      std::uint64_t count) {
  try {
    inner_.write(severity, event, {{"suppressed", std::to_string(count)}});
  } catch (...) {  // NOLINT(bugprone-empty-catch): a log does not throw
  }
}

}  // namespace jobs_bridge::logging
