#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace jobs_bridge::testing_support {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_no_delay(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Passes on what is there; false: that side has ended.
bool pass(int from, int to) {
  std::array<char, 65536> buffer{};
  const auto size = recv(from, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  const char* data = buffer.data();
  for (auto left = static_cast<std::size_t>(size); left > 0;) {
    const auto sent = send(to, data, left, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    left -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

TcpProxy::TcpProxy(std::uint16_t target) : target_(target) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "proxy");
  }
  port_ = ntohs(address.sin_port);
  wake_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { run(); });
}

TcpProxy::~TcpProxy() {
  ending_ = true;
  wake();
  thread_.join();
  cut_all();
  close(listener_);
  close(wake_);
}

void TcpProxy::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void TcpProxy::stall() {
  stalled_ = true;
  wake();
}

void TcpProxy::heal() {
  cut_ = true;
  stalled_ = false;
  wake();
}

void TcpProxy::resume() {
  stalled_ = false;
  wake();
}

void TcpProxy::forget(Direction direction) {
  forget_ = static_cast<int>(direction);
  wake();
}

void TcpProxy::forget_all(Direction direction) {
  for (auto& pair : pairs_) {
    if (direction != Direction::from_target) pair.to_target = false;
    if (direction != Direction::to_target) pair.from_target = false;
  }
}

void TcpProxy::cut_all() {
  for (const auto& pair : pairs_) {
    close(pair.client);
    close(pair.server);
  }
  pairs_.clear();
}

void TcpProxy::accept_one() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(target_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(client);
    close(server);
    return;
  }
  set_no_delay(client);
  set_no_delay(server);
  pairs_.push_back({client, server});
}

void TcpProxy::run() {
  while (!ending_) {
    std::vector<pollfd> sources{{wake_, POLLIN, 0}};
    if (!stalled_) {
      sources.push_back({listener_, POLLIN, 0});
      // poll() passes over negative descriptors.
      for (const auto& pair : pairs_) {
        sources.push_back({pair.to_target ? pair.client : -1, POLLIN, 0});
        sources.push_back({pair.from_target ? pair.server : -1, POLLIN, 0});
      }
    }
    if (poll(sources.data(), sources.size(), -1) < 0) continue;
    if (sources[0].revents != 0) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto size = ::read(wake_, &ignored, sizeof ignored);
      if (cut_.exchange(false)) cut_all();
      if (const int what = forget_.exchange(-1); what >= 0) {
        forget_all(static_cast<Direction>(what));
      }
      continue;
    }
    std::vector<Pair> remaining;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const auto client = pairs_[i].client;
      const auto server = pairs_[i].server;
      const bool client_ready = sources[2 + 2 * i].revents != 0;
      const bool server_ready = sources[3 + 2 * i].revents != 0;
      if ((client_ready && !pass(client, server)) || (server_ready && !pass(server, client))) {
        close(client);
        close(server);
      } else {
        remaining.push_back(pairs_[i]);
      }
    }
    pairs_ = std::move(remaining);
    if (sources[1].revents != 0) accept_one();
  }
}

}  // namespace jobs_bridge::testing_support
