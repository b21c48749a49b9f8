#include "adapters/mqtt/mosquitto/read_ahead.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/mqtt/packet_size_guard.h"

namespace jobs_bridge::mqtt {
namespace {

thread_local ReadAhead* in_use = nullptr;

}  // namespace

ssize_t ReadAhead::read_packets(int socket, void* buffer, std::size_t size) {
  // Under TLS what is read here is encrypted.
  if (mosquitto_ssl_get(&connection_) != nullptr) return read(socket, buffer, size);
  const auto result = filter_.read(
      [&](void* piece, std::size_t most) { return read(socket, piece, most); }, buffer, size);
  if (result <= 0 || check_ == nullptr) return result;
  if (check_->take({static_cast<const char*>(buffer), static_cast<std::size_t>(result)})) {
    return result;
  }
  errno = EPROTO;
  return -1;
}

ssize_t ReadAhead::read(int socket, void* buffer, std::size_t size) {
  if (kept() > 0) {
    const auto given = std::min(size, kept());
    std::memcpy(buffer, buffer_.data() + begin_, given);
    begin_ += given;
    given_ += given;
    return static_cast<ssize_t>(given);
  }
  if (drained_) {
    errno = EAGAIN;
    return -1;
  }
  const iovec parts[] = {{buffer, size}, {buffer_.data(), buffer_.size()}};
  const auto result = readv(socket, parts, 2);
  note_read(result);
  if (result <= 0) return result;
  const auto got = static_cast<std::size_t>(result);
  const auto given = std::min(got, size);
  drained_ = got < size + buffer_.size();
  begin_ = 0;
  end_ = got - given;
  given_ += given;
  return static_cast<ssize_t>(given);
}

PacketFilter* ReadAhead::filter_in_use() {
  return in_use == nullptr ? nullptr : &in_use->filter_;
}

bool ReadAhead::passes(std::string_view bytes) {
  return in_use == nullptr || in_use->check_ == nullptr || in_use->check_->take(bytes);
}

ReadAhead::Use::Use(ReadAhead& ahead) : outer_(std::exchange(in_use, &ahead)) {
  ahead.drained_ = false;
}

ReadAhead::Use::~Use() {
  in_use = outer_;
}

ReadAhead* ReadAhead::in_use_for(int descriptor) {
  // Another descriptor that a callback reads meanwhile may have the number of a socket just closed.
  const bool responsible =
      in_use != nullptr && descriptor == mosquitto_socket(&in_use->connection_);
  return responsible ? in_use : nullptr;
}

}  // namespace jobs_bridge::mqtt
