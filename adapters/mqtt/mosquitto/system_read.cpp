#include "adapters/mqtt/mosquitto/system_read.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>

#include "adapters/mqtt/mosquitto/read_ahead.h"
#include "adapters/mqtt/packet_size_guard.h"

namespace jobs_bridge::mqtt {

// The system's name, by a label: headers may define a function of that name inline.
extern "C" __attribute__((used)) ssize_t read_of_system(int descriptor, void* buffer,
                                                        size_t size) asm("read");

namespace {

/// Files are read directly.
bool is_socket(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

void interpose_system_read() {
  static const TlsReads reads{.filter_of = [](SSL*) { return ReadAhead::filter_in_use(); },
                              .may_pass = ReadAhead::passes};
  inspect_tls_reads(reads);
}

extern "C" ssize_t read_of_system(int descriptor, void* buffer, size_t size) {
  if (!is_within_bound(size) && is_socket(descriptor) && !may_read(size)) {
    errno = EMSGSIZE;
    return -1;
  }
  if (auto* const ahead = ReadAhead::in_use_for(descriptor))
    return ahead->read_packets(descriptor, buffer, size);
  const iovec whole{buffer, size};
  return readv(descriptor, &whole, 1);
}

}  // namespace jobs_bridge::mqtt
