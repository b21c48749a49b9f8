#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace jobs_bridge::testing_support {

/// How long a test waits for what ought to happen soon.
constexpr std::chrono::milliseconds wait_limit{20000};

/// A child process, its standard output and error captured as one. It dies with this object, and
/// with the thread that started it (so start it on one that stays). The report of a sanitizer in
/// its output is a failure of the test.
class Process {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  /// `command`: the program, looked for in PATH, and what it is called with. `environment`: in
  /// addition to this process's. Throws std::runtime_error if it cannot be started.
  explicit Process(std::vector<std::string> command, const Environment& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  /// Does nothing once the process has been waited for.
  void signal(int number);

  /// Waits for it to end: its exit status, or 128 and the number of the signal that killed it, as a
  /// shell has it. Nothing if it did not end in time. Once it has ended, further calls return the
  /// same. Then output() is complete, unless it left a child behind that goes on writing.
  std::optional<int> wait(std::chrono::milliseconds limit = wait_limit);
  [[nodiscard]] bool running() { return !wait(std::chrono::milliseconds(0)); }

  /// Everything that it has written so far.
  [[nodiscard]] std::string output() const;
  /// Waits until it has written `text`, from byte `from` of its output on; false: it did not in
  /// time, or has ended without it.
  bool wait_for_output(std::string_view text, std::chrono::milliseconds limit = wait_limit,
                       std::size_t from = 0) const;
  /// Waits for a whole line in which the regular expression is found, and returns it.
  [[nodiscard]] std::optional<std::string> wait_for_line(
      const std::string& expression, std::chrono::milliseconds limit = wait_limit) const;

 private:
  void capture();
  template <typename Condition>
  bool wait_for_capture(std::chrono::milliseconds limit, Condition condition) const;

  pid_t id_ = -1;
  std::optional<int> status_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string output_;
  bool captured_all_ = false;
  int pipe_ = -1;
  int wake_ = -1;  ///< ends the capturing thread, should a grandchild keep the pipe open
  std::thread capturing_;
};

}  // namespace jobs_bridge::testing_support
