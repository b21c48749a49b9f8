#include "tests/integration/admin/http_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace jobs_bridge::testing_support {

RawClient::RawClient(std::uint16_t port, const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    throw std::runtime_error("no such host: " + host);
  }
  socket_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(socket_, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (!connected) {
    close(socket_);
    throw std::runtime_error("cannot connect");
  }
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

RawClient::~RawClient() {
  close(socket_);
}

bool RawClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string RawClient::read_to_end() const {
  std::string all = unread_;
  std::array<char, 4096> buffer{};
  for (ssize_t count = 0; (count = recv(socket_, buffer.data(), buffer.size(), 0)) > 0;) {
    all.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return all;
}

std::string RawClient::read_answer() {
  std::array<char, 4096> buffer{};
  while (true) {
    const auto head = unread_.find("\r\n\r\n");
    if (head != std::string::npos) {
      const auto reply = parse_reply(unread_);
      const auto at = reply.head.find("Content-Length: ");
      const auto length =
          at == std::string::npos ? 0 : std::strtoul(reply.head.c_str() + at + 16, nullptr, 10);
      const auto whole = head + 4 + length;
      if (unread_.size() >= whole) {
        auto answer = unread_.substr(0, whole);
        unread_.erase(0, whole);
        return answer;
      }
    }
    const auto count = recv(socket_, buffer.data(), buffer.size(), 0);
    if (count <= 0) return std::exchange(unread_, {});
    unread_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

bool RawClient::closes(std::chrono::milliseconds limit) const {
  pollfd polled{.fd = socket_, .events = POLLIN, .revents = 0};
  if (poll(&polled, 1, static_cast<int>(limit.count())) <= 0) return false;
  char byte = 0;
  return recv(socket_, &byte, 1, 0) <= 0;
}

HttpReply parse_reply(const std::string& text) {
  const auto head_end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || head_end == std::string::npos) return {};
  return {.status = std::atoi(text.c_str() + 9),
          .head = text.substr(0, head_end + 2),
          .body = text.substr(head_end + 4)};
}

HttpReply get(std::uint16_t port, const std::string& path, const std::string& headers,
              const std::string& method) {
  const RawClient client(port);
  const auto host = headers.find("Host:") == std::string::npos
                        ? "Host: 127.0.0.1:" + std::to_string(port) + "\r\n"
                        : std::string();
  client.send(method + " " + path + " HTTP/1.1\r\n" + host + headers + "Connection: close\r\n\r\n");
  return parse_reply(client.read_to_end());
}

AdminSite::AdminSite(admin::Status status, admin::ServerSettings settings)
    : status_(std::move(status)) {
  settings.snapshot_lasts = Duration::zero();
  auto server = admin::Server::start(
      std::move(settings), [this] { return status_; }, metrics_, log_);
  if (!server) throw std::runtime_error(server.error());
  server_ = std::move(server.value());
}

}  // namespace jobs_bridge::testing_support
