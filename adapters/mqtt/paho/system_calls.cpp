#include "adapters/mqtt/paho/system_calls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "adapters/mqtt/packet_size_guard.h"
#include "adapters/mqtt/paho/filtered_sockets.h"
#include "adapters/tls/context.h"

namespace jobs_bridge::mqtt {

// The functions' own names, by labels: headers may define functions of these names inline.
extern "C" {
__attribute__((used)) ssize_t receive(int socket, void* buffer, size_t size, int flags) asm("recv");
__attribute__((used)) ssize_t write_parts(int descriptor, const iovec* parts,
                                          int count) asm("writev");
__attribute__((used)) int write_of_tls(SSL* tls, const void* buffer, int size) asm("SSL_write");
__attribute__((used)) int connect_of_tls(SSL* tls) asm("SSL_connect");
}

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

extern "C" ssize_t write_parts(int descriptor, const iovec* parts, int count) {
  const auto result = syscall(SYS_writev, descriptor, parts, count);
  if (result < 0 && is_peer_gone(errno)) note_failed_write();
  return result;
}

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

// Paho looks at the certificate's name only after the handshake, and takes a common name or a
// wildcard for a part of a label, which nothing else here does. Told of the name, OpenSSL judges it
// in the handshake. Connections of other code have it from their context.
extern "C" int connect_of_tls(SSL* tls) {
  if (SSL_in_before(tls) == 1) {
    auto* const expected = SSL_get0_param(tls);
    const char* const asked_for = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    if (asked_for != nullptr && X509_VERIFY_PARAM_get0_host(expected, 0) == nullptr &&
        !tls::require_name(*expected, asked_for)) {
      ERR_raise(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT);
      return -1;
    }
    SSL_set_connect_state(tls);
  }
  return SSL_do_handshake(tls);
}

}  // namespace jobs_bridge::mqtt
