#include "adapters/mqtt/paho/no_delay.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>

#include "bridge/text/parse_number.h"

namespace jobs_bridge::mqtt {
namespace {

bool is_connected_to(int descriptor, std::uint16_t port) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  if (peer.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port) == port;
  }
  if (peer.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(peer).sin6_port) == port;
  }
  return false;
}

}  // namespace

std::size_t set_no_delay(std::uint16_t port) {
  const std::unique_ptr<DIR, int (*)(DIR*)> descriptors(opendir("/proc/self/fd"), closedir);
  if (!descriptors) return 0;
  std::size_t count = 0;
  while (const auto* entry = readdir(descriptors.get())) {
    const auto descriptor = parse_number<int>(entry->d_name);
    if (!descriptor || !is_connected_to(*descriptor, port)) continue;
    const int on = 1;
    if (setsockopt(*descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) ++count;
  }
  return count;
}

}  // namespace jobs_bridge::mqtt
