#include "tests/unit/endpoint/raw_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace jobs_endpoint::testing {
namespace {

constexpr std::chrono::milliseconds timeout = std::chrono::seconds(10);

/// Where the body begins; npos: the head is not whole yet.
std::size_t head_size(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? end : end + 4;
}

std::size_t content_length(const std::string& answer) {
  constexpr std::string_view name = "Content-Length: ";
  const std::size_t at = answer.find(name);
  std::size_t length = 0;
  if (at != std::string::npos) {
    std::from_chars(answer.data() + at + name.size(), answer.data() + answer.size(), length);
  }
  return length;
}

}  // namespace

RawClient::RawClient(std::uint16_t port, const Tls& tls) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval limit = {10, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (connected_ && tls.use) shake_hands(tls);
  // From here on reads and writes wait in poll, and no longer than they are told to.
  fcntl(socket_, F_SETFL, O_NONBLOCK);
}

void RawClient::shake_hands(const Tls& tls) {
  context_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_load_verify_locations(context_.get(), tls.ca_file.c_str(), nullptr);
  if (!tls.certificate.certificate.empty()) {
    SSL_CTX_use_certificate_chain_file(context_.get(), tls.certificate.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context_.get(), tls.certificate.private_key.c_str(),
                                SSL_FILETYPE_PEM);
  }
  if (tls.only_tls_1_1) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_1_VERSION);
  }
  ssl_.reset(SSL_new(context_.get()), SSL_free);
  SSL_set_fd(ssl_.get(), socket_);
  connected_ = SSL_connect(ssl_.get()) == 1;
}

RawClient::~RawClient() {
  ssl_.reset();
  if (socket_ >= 0) close(socket_);
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ssl_ != nullptr
                          ? static_cast<ssize_t>(
                                SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())))
                          : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    const bool full =
        ssl_ != nullptr ? SSL_get_error(ssl_.get(), static_cast<int>(sent)) == SSL_ERROR_WANT_WRITE
                        : errno == EAGAIN;
    pollfd writable = {socket_, POLLOUT, 0};
    if (!full || poll(&writable, 1, static_cast<int>(timeout.count())) <= 0) return;
  }
}

bool RawClient::read_some(std::chrono::milliseconds limit) {
  if (end_ == End::closed || end_ == End::reset) return false;
  const auto until = std::chrono::steady_clock::now() + limit;
  std::array<char, 16384> bytes;
  for (;;) {
    errno = 0;
    const auto count = ssl_ != nullptr
                           ? static_cast<ssize_t>(
                                 SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())))
                           : recv(socket_, bytes.data(), bytes.size(), 0);
    if (count > 0) {
      unread_.append(bytes.data(), static_cast<std::size_t>(count));
      return true;
    }
    // What arrives over TLS need not be data: a session ticket, half a record.
    const bool nothing_yet =
        ssl_ != nullptr ? SSL_get_error(ssl_.get(), static_cast<int>(count)) == SSL_ERROR_WANT_READ
                        : count < 0 && errno == EAGAIN;
    if (!nothing_yet) {
      end_ = errno == ECONNRESET ? End::reset : End::closed;
      return false;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd readable = {socket_, POLLIN, 0};
    if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) == 0) {
      end_ = End::timed_out;
      return false;
    }
  }
}

std::string RawClient::read_answer() {
  for (;;) {
    const std::size_t head = head_size(unread_);
    if (head != std::string::npos && unread_.size() >= head + content_length(unread_)) {
      const std::size_t size = head + content_length(unread_);
      std::string answer = unread_.substr(0, size);
      unread_.erase(0, size);
      return answer;
    }
    if (!read_some(timeout)) return std::exchange(unread_, {});
  }
}

std::string RawClient::read_all(std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !read_some(left)) break;
  }
  return std::exchange(unread_, {});
}

bool RawClient::got_close_notify() const {
  return ssl_ != nullptr && (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

std::string request(std::string_view method, std::string_view target, std::string_view body,
                    std::string_view more_headers) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: endpoint\r\n");
  text.append(more_headers);
  if (!body.empty()) {
    text.append("Content-Type: application/json\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n");
  }
  return text.append("\r\n").append(body);
}

int status_of(const std::string& answer) {
  int status = 0;
  if (answer.size() > 12) std::from_chars(answer.data() + 9, answer.data() + 12, status);
  return status;
}

std::string body_of(const std::string& answer) {
  const std::size_t head = head_size(answer);
  return head == std::string::npos ? "" : answer.substr(head);
}

}  // namespace jobs_endpoint::testing
