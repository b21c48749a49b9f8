#include "tests/support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <regex>
#include <stdexcept>
#include <system_error>

#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  // Brokers live where only root's PATH leads.
  const auto folders = std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin";
  for (std::size_t begin = 0; begin <= folders.size();) {
    const auto end = std::min(folders.find(':', begin), folders.size());
    auto candidate = folders.substr(begin, end - begin) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  throw std::runtime_error("no program " + name);
}

/// What exec wants, for as long as this lives.
class Strings {
 public:
  explicit Strings(std::vector<std::string> strings) : strings_(std::move(strings)) {
    for (auto& text : strings_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  [[nodiscard]] char* const* data() const { return pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

Strings environment_with(const Process::Environment& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const bool replaced = std::ranges::any_of(
        more, [&](const auto& variable) { return text.starts_with(variable.first + "="); });
    if (!replaced) all.push_back(text);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return Strings(std::move(all));
}

/// What every report of a sanitizer has in its first line, or before its last.
constexpr std::array<std::string_view, 5> reports = {
    "ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
    "AddressSanitizer:DEADLYSIGNAL", ": runtime error: "};

}  // namespace

Process::Process(std::vector<std::string> command, const Environment& environment) {
  const auto program = find_program(command.at(0));
  const Strings arguments(std::move(command));
  const auto variables = environment_with(environment);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  const pid_t parent = getpid();
  id_ = fork();
  if (id_ == 0) {
    // Only what is safe after fork in a program with threads.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    ::signal(SIGPIPE, SIG_DFL);
    execve(program.c_str(), arguments.data(), variables.data());
    _exit(127);
  }
  const int cause = errno;
  close(ends[1]);
  pipe_ = ends[0];
  if (id_ < 0) {
    close(pipe_);
    throw std::system_error(cause, std::generic_category(), "fork");
  }
  wake_ = eventfd(0, EFD_CLOEXEC);
  capturing_ = std::thread([this] { capture(); });
}

Process::~Process() {
  signal(SIGKILL);
  wait();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);
  capturing_.join();
  close(pipe_);
  close(wake_);
  // A program that ends with a report may have done all that the test asked for.
  for (const auto report : reports) {
    if (output_.find(report) != std::string::npos) {
      ADD_FAILURE() << "a sanitizer has reported:\n" << output_;
      break;
    }
  }
}

void Process::signal(int number) {
  if (!status_) kill(id_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  const auto has_ended = [&] {
    int status = 0;
    if (!status_ && waitpid(id_, &status, WNOHANG) == id_) {
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return status_.has_value();
  };
  wait_until(has_ended, limit);
  // What it wrote last may still be on its way. A grandchild that keeps the pipe open is not waited
  // for any longer than this.
  constexpr std::chrono::milliseconds rest_of_output{2000};
  if (status_) wait_for_capture(std::min(limit, rest_of_output), [] { return false; });
  return status_;
}

std::string Process::output() const {
  const std::lock_guard lock(mutex_);
  return output_;
}

template <typename Condition>
bool Process::wait_for_capture(std::chrono::milliseconds limit, Condition condition) const {
  std::unique_lock lock(mutex_);
  bool fulfilled = false;
  changed_.wait_for(lock, limit, [&] {
    fulfilled = condition();
    return fulfilled || captured_all_;
  });
  return fulfilled;
}

bool Process::wait_for_output(std::string_view text, std::chrono::milliseconds limit,
                              std::size_t from) const {
  return wait_for_capture(limit, [&] { return output_.find(text, from) != std::string::npos; });
}

std::optional<std::string> Process::wait_for_line(const std::string& expression,
                                                  std::chrono::milliseconds limit) const {
  const std::regex wanted(expression);
  std::optional<std::string> line;
  std::size_t begin = 0;  // of the first line that has not been looked at
  wait_for_capture(limit, [&] {
    for (auto end = output_.find('\n', begin); !line && end != std::string::npos;
         end = output_.find('\n', begin)) {
      auto candidate = output_.substr(begin, end - begin);
      if (std::regex_search(candidate, wanted)) line = std::move(candidate);
      begin = end + 1;
    }
    return line.has_value();
  });
  return line;
}

void Process::capture() {
  std::array<pollfd, 2> sources{pollfd{pipe_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
  std::array<char, 65536> buffer{};
  while (poll(sources.data(), sources.size(), -1) >= 0 || errno == EINTR) {
    if (sources[0].revents == 0) {
      if (sources[1].revents != 0) break;
      continue;
    }
    const auto size = read(pipe_, buffer.data(), buffer.size());
    if (size <= 0) break;
    const std::lock_guard lock(mutex_);
    output_.append(buffer.data(), static_cast<std::size_t>(size));
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  captured_all_ = true;
  changed_.notify_all();
}

}  // namespace jobs_bridge::testing_support
