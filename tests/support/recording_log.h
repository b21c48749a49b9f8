#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/ports/log.h"

namespace jobs_bridge::testing_support {

/// Keeps what is written, from warnings up or as told, and lets a test wait for it. Any thread may
/// call anything.
class RecordingLog final : public Log {
 public:
  struct Line {
    Severity severity;
    /// The event, then ` name=value` for each field.
    std::string text;
  };

  explicit RecordingLog(Severity least = Severity::debug) : least_(least) {}

  [[nodiscard]] bool enabled(Severity severity) const override { return severity >= least_; }
  using Log::write;
  void write(Severity severity, std::string_view event,
             std::initializer_list<Field> fields) override {
    if (!enabled(severity)) return;
    std::string text(event);
    for (const auto& field : fields) {
      text.append(" ").append(field.name).append("=").append(field.value);
    }
    const std::lock_guard lock(mutex_);
    lines_.push_back({severity, std::move(text)});
    changed_.notify_all();
  }

  [[nodiscard]] std::vector<Line> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  /// How many lines contain `part`.
  [[nodiscard]] std::size_t count(std::string_view part, Severity least = Severity::trace) const {
    const std::lock_guard lock(mutex_);
    return count_locked(part, least);
  }
  /// Waits until a line contains `part`; false if there was none in time.
  bool wait_for(std::string_view part,
                std::chrono::steady_clock::duration limit = std::chrono::seconds(30)) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return count_locked(part, Severity::trace) > 0; });
  }
  /// All lines, for the message of a failed expectation.
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const auto& line : lines_) all.append(line.text).append("\n");
    return all;
  }

 private:
  std::size_t count_locked(std::string_view part, Severity least) const {
    return static_cast<std::size_t>(
        std::count_if(lines_.begin(), lines_.end(), [&](const Line& line) {
          return line.severity >= least && line.text.find(part) != std::string::npos;
        }));
  }

  const Severity least_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Line> lines_;
};

}  // namespace jobs_bridge::testing_support
