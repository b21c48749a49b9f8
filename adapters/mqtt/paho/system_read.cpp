#include <sys/socket.h>

#include <cerrno>

#include "adapters/mqtt/reads.h"

namespace jobs_bridge::mqtt {

void link_system_read() {}

// The system's name, by a label: headers may define a function of that name inline.
extern "C" __attribute__((used)) ssize_t receive(int socket, void* buffer, size_t size,
                                                 int flags) asm("recv");

extern "C" ssize_t receive(int socket, void* buffer, size_t size, int flags) {
  if (!may_read(size)) {
    errno = EMSGSIZE;
    return -1;
  }
  const auto result = recvfrom(socket, buffer, size, flags, nullptr, nullptr);
  // Of nothing Paho reads when it closes.
  if (size > 0) note_read(result);
  return result;
}

}  // namespace jobs_bridge::mqtt
