#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace jobs_bridge::testing_support {

/// A process of its own that carries out a function: for what a test cannot do to itself, such as
/// kill -9 or a limit. What the function returns is its exit status. It begins without threads.
class Child {
 public:
  template <typename Function>
  explicit Child(Function function) {
    if (pipe(pipe_.data()) != 0) throw std::runtime_error("no pipe");
    process_ = fork();
    if (process_ < 0) throw std::runtime_error("no process");
    if (process_ > 0) {
      close(pipe_[1]);
      return;
    }
    close(pipe_[0]);
    int status = 99;
    try {
      status = function(*this);
    } catch (...) {
      status = 98;
    }
    _exit(status);  // what the test would clean up is not the child's
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (process_ > 0) end();
    close(pipe_[0]);
  }

  /// In the child: lets the test know.
  void say(char what) const {
    if (write(pipe_[1], &what, 1) != 1) _exit(97);
  }
  /// In the test: what the child said next; 0 once it has ended.
  char hear() const {
    char what = 0;
    return read(pipe_[0], &what, 1) == 1 ? what : '\0';
  }

  /// kill -9
  void end() {
    kill(process_, SIGKILL);
    wait();
  }
  /// The exit status; -1 if a signal ended it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(process_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t process_ = -1;
  std::array<int, 2> pipe_{};
};

}  // namespace jobs_bridge::testing_support
