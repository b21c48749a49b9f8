#include "adapters/net/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "adapters/files/system_text.h"
#include "adapters/net/lookup.h"

namespace jobs_bridge::net {

namespace {

ConnectFault fault_of(int error) {
  if (error == ECONNREFUSED) {
    return {.refused = true,
            .text = "nothing listens on this port (" + files::system_text(error) + ")"};
  }
  return {.text = files::system_text(error)};
}

}  // namespace

Result<files::FileDescriptor, ConnectFault> begin_connect(const std::string& address,
                                                          std::uint16_t port) {
  const auto info =
      address_info(address, std::to_string(port).c_str(), AI_NUMERICHOST | AI_NUMERICSERV);
  if (!info) return Failure{ConnectFault{.text = info.error()}};
  const auto& target = **info;
  files::FileDescriptor socket(
      ::socket(target.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.valid()) return Failure{fault_of(errno)};
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(socket.get(), target.ai_addr, target.ai_addrlen) != 0 && errno != EINPROGRESS) {
    return Failure{fault_of(errno)};
  }
  return socket;
}

std::optional<ConnectFault> connect_fault(const files::FileDescriptor& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0) return std::nullopt;
  return fault_of(error);
}

}  // namespace jobs_bridge::net
