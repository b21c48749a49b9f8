#include "adapters/mqtt/paho/system_calls.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "adapters/mqtt/packet_size_guard.h"
#include "adapters/mqtt/paho/filtered_sockets.h"

namespace jobs_bridge::mqtt {

namespace {

std::atomic<std::chrono::steady_clock::time_point> write_failed{};

void note_failed_write() {
  const int error = errno;
  write_failed = std::chrono::steady_clock::now();
  errno = error;
}

bool is_peer_gone(int error) {
  return error == EPIPE || error == ECONNRESET || error == ETIMEDOUT;
}

}  // namespace

void interpose_system_calls() {
  // Paho itself ends the connection upon properties that MQTT does not define.
  static const TlsReads reads{.filter_of = [](SSL* tls) { return filter_of(SSL_get_fd(tls)); },
                              .may_pass = nullptr};
  inspect_tls_reads(reads);
}

bool write_failed_since(std::chrono::steady_clock::time_point when) {
  return write_failed.load() > when;
}

// The system's name, by a label: headers may define a function of that name inline.
extern "C" __attribute__((used)) ssize_t receive(int socket, void* buffer, size_t size,
                                                 int flags) asm("recv");

extern "C" ssize_t receive(int socket, void* buffer, size_t size, int flags) {
  if (!may_read(size)) {
    errno = EMSGSIZE;
    return -1;
  }
  const auto receive_some = [&](void* piece, std::size_t most) {
    const auto result = recvfrom(socket, piece, most, flags, nullptr, nullptr);
    // Paho reads zero bytes when it closes.
    if (most > 0) note_read(result);
    return result;
  };
  auto* const filter = size > 0 ? filter_of(socket) : nullptr;
  return filter != nullptr ? filter->read(receive_some, buffer, size) : receive_some(buffer, size);
}

// The same for the functions that Paho writes with.
extern "C" __attribute__((used)) ssize_t write_parts(int descriptor, const iovec* parts,
                                                     int count) asm("writev");

extern "C" ssize_t write_parts(int descriptor, const iovec* parts, int count) {
  const auto result = syscall(SYS_writev, descriptor, parts, count);
  if (result < 0 && is_peer_gone(errno)) note_failed_write();
  return result;
}

extern "C" __attribute__((used)) int write_of_tls(SSL* tls, const void* buffer,
                                                  int size) asm("SSL_write");

extern "C" int write_of_tls(SSL* tls, const void* buffer, int size) {
  std::size_t sent = 0;
  const auto wanted = static_cast<std::size_t>(std::max(size, 0));
  if (SSL_write_ex(tls, buffer, wanted, &sent) == 1) return static_cast<int>(sent);
  const int error = errno;
  const int ending = SSL_get_error(tls, 0);
  if (ending != SSL_ERROR_WANT_READ && ending != SSL_ERROR_WANT_WRITE) note_failed_write();
  errno = error;
  return -1;
}

}  // namespace jobs_bridge::mqtt
