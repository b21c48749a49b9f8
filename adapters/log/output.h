#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobs_bridge::logging {

/// Lines for whoever reads a descriptor: a pipe, a socket, a terminal or a file. A reader that has
/// stopped must not stop the bridge: once nothing more fits, lines are dropped and counted until it
/// goes on. A reader that is merely slow is waited for, half a second at most, and not again within
/// ten. Not thread-safe.
class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}

  /// `line` with its end. Whether it was not dropped; of one that does not fit as a whole the rest
  /// follows before the next.
  bool write(std::string_view line);

  /// How many lines were dropped and have not been told of, once one more fits; until then 0.
  std::uint64_t dropped();
  /// A line that tells of so many has been written, if none was dropped meanwhile.
  void told(std::uint64_t count);

 private:
  using Clock = std::chrono::steady_clock;

  bool wait_until_writable();
  /// Writes what fits of `text`, and takes it off.
  void write_some(std::string_view& text);
  bool write_rest();

  const int descriptor_;
  std::string rest_;  ///< of a line that is written in part
  std::uint64_t dropped_ = 0;
  Clock::time_point waited_{};  ///< when its reader was last waited for, in vain
};

}  // namespace jobs_bridge::logging
