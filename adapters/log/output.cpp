#include "adapters/log/output.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace jobs_bridge::logging {
namespace {

using namespace std::chrono_literals;

constexpr auto write_timeout = 500ms;
constexpr auto between_waits = 10s;

bool is_writable(int descriptor, std::chrono::milliseconds limit) {
  pollfd awaited{.fd = descriptor, .events = POLLOUT, .revents = 0};
  const int ready = poll(&awaited, 1, static_cast<int>(limit.count()));
  // For a pipe this means that PIPE_BUF bytes fit. A broken descriptor shows when writing.
  return ready > 0 && awaited.revents != 0;
}

/// Does not block, unless another process has filled the descriptor at this moment. O_NONBLOCK
/// would affect every process that shares it.
ssize_t write_now(int descriptor, std::string_view text) {
  const auto sent = send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return ::write(descriptor, text.data(), text.size());
}

}  // namespace

bool Output::wait_until_writable() {
  if (is_writable(descriptor_, 0ms)) return true;
  const auto now = Clock::now();
  if (waited_ != Clock::time_point() && now - waited_ < between_waits) return false;
  if (is_writable(descriptor_, write_timeout)) return true;
  waited_ = Clock::now();
  return false;
}

void Output::write_some(std::string_view& text) {
  while (!text.empty() && wait_until_writable()) {
    const auto count = write_now(descriptor_, text.substr(0, PIPE_BUF));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool Output::write_rest() {
  std::string_view rest = rest_;
  write_some(rest);
  rest_.erase(0, rest_.size() - rest.size());
  return rest_.empty();
}

bool Output::write(std::string_view line) {
  auto text = line;
  if (write_rest()) write_some(text);
  if (text.size() == line.size()) {
    ++dropped_;
    return false;
  }
  rest_ = text;
  return true;
}

std::uint64_t Output::dropped() {
  return dropped_ > 0 && is_writable(descriptor_, 0ms) && write_rest() ? dropped_ : 0;
}

void Output::told(std::uint64_t count) {
  if (dropped_ == count) dropped_ = 0;
}

}  // namespace jobs_bridge::logging
