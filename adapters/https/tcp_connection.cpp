#include "adapters/https/tcp_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "adapters/files/system_text.h"
#include "adapters/net/connect.h"

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;

}  // namespace

IoFailure wait_failure(Waited waited, std::string what) {
  if (waited == Waited::stopped) return {Kind::stopped, "stopped while " + what};
  return {Kind::timeout, "time ran out while " + what};
}

Result<std::unique_ptr<TcpConnection>, IoFailure> TcpConnection::open(const std::string& address,
                                                                      std::uint16_t port,
                                                                      MonotonicTime deadline,
                                                                      const StopSignal& stop) {
  const auto failed = [](const net::ConnectFault& fault) {
    return Failure{IoFailure{fault.refused ? Kind::refused : Kind::connect, fault.text}};
  };
  auto socket = net::begin_connect(address, port);
  if (!socket) return failed(socket.error());
  const Waited waited = wait_for(socket->get(), POLLOUT, deadline, stop);
  if (waited == Waited::timeout) return failed({.text = "no answer in time"});
  if (waited != Waited::ready) return Failure{wait_failure(waited, "connecting")};
  if (const auto fault = net::connect_fault(*socket)) return failed(*fault);
  return std::make_unique<TcpConnection>(std::move(socket).value(), stop);
}

std::optional<IoFailure> TcpConnection::write(std::string_view bytes, MonotonicTime deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      sent_ += static_cast<std::uint64_t>(sent);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      const Waited waited = wait(POLLOUT, deadline);
      if (waited != Waited::ready) return wait_failure(waited, "sending the request");
    } else if (errno != EINTR) {
      return IoFailure{Kind::broken, "sending the request: " + files::system_text(errno)};
    }
  }
  return std::nullopt;
}

Result<std::size_t, IoFailure> TcpConnection::read(char* buffer, std::size_t size,
                                                   MonotonicTime deadline) {
  for (;;) {
    // An answer is never there yet when we come here, so waiting first saves a call.
    const Waited waited = wait(POLLIN, deadline);
    if (waited != Waited::ready) return Failure{wait_failure(waited, "waiting for the answer")};
    const ssize_t received = recv(socket_.get(), buffer, size, 0);
    if (received >= 0) return static_cast<std::size_t>(received);
    if (errno != EAGAIN && errno != EINTR) {
      return Failure{IoFailure{Kind::broken, "reading the answer: " + files::system_text(errno)}};
    }
  }
}

bool TcpConnection::quiet() {
  char byte = 0;
  return recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace jobs_bridge::https
