#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobs_bridge::logging {

/// Writes lines to a descriptor: a pipe, a socket, a terminal or a file. A reader that has stopped
/// must not stop the bridge: once nothing more fits, lines are dropped and counted until it reads
/// again. A slow reader is waited for, but for half a second at most, and not again within ten
/// seconds. Not thread-safe.
class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}

  /// `line` includes its newline. False if it was dropped; if only a part of it fits, the rest is
  /// written before the next line.
  bool write(std::string_view line);

  /// The number of dropped lines not reported yet, once another line fits; until then 0.
  std::uint64_t dropped();
  /// A line that reports this number has been written. Resets the count unless more lines were
  /// dropped meanwhile.
  void told(std::uint64_t count);

 private:
  using Clock = std::chrono::steady_clock;

  bool wait_until_writable();
  /// Writes as much of `text` as fits, and removes it from `text`.
  void write_some(std::string_view& text);
  bool write_rest();

  const int descriptor_;
  std::string rest_;  ///< of a partly written line
  std::uint64_t dropped_ = 0;
  Clock::time_point waited_{};  ///< when its reader was last waited for, in vain
};

}  // namespace jobs_bridge::logging
