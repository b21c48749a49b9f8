#include "adapters/admin/request_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace jobs_bridge::admin {

using std::chrono::steady_clock;

RequestStream::RequestStream(socket_t socket, Limits limits)
    : socket_(socket),
      limits_(limits),
      read_until_(steady_clock::now() + limits.read),
      left_(limits.bytes) {}

bool RequestStream::wait(short event, Time until) const {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd polled{socket_, event, 0};
    const int ready = poll(&polled, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool RequestStream::more() {
  while (left_ > 0 && wait(POLLIN, read_until_)) {
    const auto got = recv(socket_, buffer_.data(), std::min(buffer_.size(), left_), MSG_DONTWAIT);
    if (got > 0) {
      begin_ = 0;
      end_ = static_cast<std::size_t>(got);
      left_ -= end_;
      return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) return false;
  }
  return false;
}

ssize_t RequestStream::read(char* to, size_t size) {
  if (begin_ == end_ && !more()) return -1;
  const auto count = std::min(size, end_ - begin_);
  std::copy_n(buffer_.data() + begin_, count, to);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t RequestStream::write(const char* from, size_t size) {
  if (write_until_ == Time{}) write_until_ = steady_clock::now() + limits_.write;
  while (wait(POLLOUT, write_until_)) {
    const auto sent = send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

}  // namespace jobs_bridge::admin
