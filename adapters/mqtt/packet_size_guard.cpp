#include "adapters/mqtt/packet_size_guard.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

namespace jobs_bridge::mqtt {

// OpenSSL's name, by a label: its own declaration is in the header above.
extern "C" __attribute__((used)) int read_of_tls(SSL* tls, void* buffer, int size) asm("SSL_read");

namespace {

using Outcome = LastRead::Outcome;
using std::chrono::steady_clock;

std::atomic<std::size_t> bound{std::size_t{1} << 20};
/// One for each MQTT library in the program, from the front.
std::array<std::atomic<const TlsReads*>, 2> inspections{};
thread_local LastRead last;
std::atomic<bool> has_read = false;

}  // namespace

void bound_reads(std::size_t largest) {
  auto before = bound.load();
  while (before < largest && !bound.compare_exchange_weak(before, largest)) {
  }
}

LastRead last_read() {
  return last;
}

bool is_within_bound(std::size_t size) {
  return size <= bound.load(std::memory_order_relaxed);
}

void inspect_tls_reads(const TlsReads& reads) {
  for (auto& inspection : inspections) {
    const TlsReads* none = nullptr;
    if (inspection == &reads || inspection.compare_exchange_strong(none, &reads)) return;
  }
}

bool may_read(std::size_t size) {
  if (is_within_bound(size)) return true;
  last.outcome = Outcome::too_large;
  last.asked = size;
  return false;
}

bool sees_reads() {
  return has_read;
}

void note_read(std::ptrdiff_t result) {
  if (!has_read.load(std::memory_order_relaxed)) has_read = true;
  if (result > 0) {
    last.outcome = Outcome::data;
    last.came = steady_clock::now();
  } else if (result == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
    last.outcome = Outcome::end;
  } else {
    last.outcome = Outcome::data;
  }
}

namespace {

void note_tls_read(SSL* tls, bool read) {
  if (read) return note_read(1);
  switch (SSL_get_error(tls, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      last.outcome = Outcome::data;
      break;
    default:
      last.outcome = Outcome::end;
  }
}

PacketFilter* filter_of(SSL& tls) {
  for (const auto& inspection : inspections) {
    const auto* const reads = inspection.load(std::memory_order_relaxed);
    if (reads == nullptr) break;
    if (auto* const filter = reads->filter_of(&tls)) return filter;
  }
  return nullptr;
}

bool may_pass(std::string_view bytes) {
  for (const auto& inspection : inspections) {
    const auto* const reads = inspection.load(std::memory_order_relaxed);
    if (reads == nullptr) break;
    if (reads->may_pass != nullptr && !reads->may_pass(bytes)) return false;
  }
  return true;
}

}  // namespace

extern "C" int read_of_tls(SSL* tls, void* buffer, int size) {
  const auto wanted = static_cast<std::size_t>(std::max(size, 0));
  if (!may_read(wanted)) {
    // So that SSL_get_error() tells of a fault for good, and not of one that passes.
    ERR_raise(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT);
    return -1;
  }
  const auto read_some = [tls](void* piece, std::size_t most) -> ssize_t {
    std::size_t got = 0;
    const bool read = SSL_read_ex(tls, piece, most, &got) == 1;
    const int error = errno;
    note_tls_read(tls, read);
    errno = error;
    return read ? static_cast<ssize_t>(got) : -1;
  };
  auto* const filter = filter_of(*tls);
  const auto got =
      filter != nullptr ? filter->read(read_some, buffer, wanted) : read_some(buffer, wanted);
  if (got < 0) return -1;
  if (!may_pass({static_cast<const char*>(buffer), static_cast<std::size_t>(got)})) {
    ERR_raise(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT);
    return -1;
  }
  return static_cast<int>(got);
}

}  // namespace jobs_bridge::mqtt
