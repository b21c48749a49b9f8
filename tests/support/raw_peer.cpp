#include "tests/support/raw_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace jobs_bridge::testing_support {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::size_t content_length(const std::string& head) {
  const char* const found = strcasestr(head.c_str(), "\r\nContent-Length:");
  return found == nullptr ? 0 : std::strtoul(found + 17, nullptr, 10);
}

}  // namespace

PeerConnection::PeerConnection(int socket, std::size_t number) : socket_(socket), number_(number) {
  const timeval limit{kPatience.count(), 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

PeerConnection::~PeerConnection() {
  close();
}

bool PeerConnection::start_tls(SSL_CTX* context) {
  ERR_clear_error();
  ssl_ = SSL_new(context);
  return ssl_ != nullptr && SSL_set_fd(ssl_, socket_) == 1 && SSL_accept(ssl_) == 1;
}

std::size_t PeerConnection::read(char* buffer, std::size_t size) {
  if (socket_ < 0) return 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int received = SSL_read(ssl_, buffer, static_cast<int>(size));
    return received > 0 ? static_cast<std::size_t>(received) : 0;
  }
  const ssize_t received = recv(socket_, buffer, size, 0);
  return received > 0 ? static_cast<std::size_t>(received) : 0;
}

std::string PeerConnection::read_request() {
  std::size_t whole = std::string::npos;
  for (;;) {
    if (whole == std::string::npos) {
      const std::size_t end = unread_.find("\r\n\r\n");
      if (end != std::string::npos) whole = end + 4 + content_length(unread_.substr(0, end + 2));
    }
    if (whole != std::string::npos && unread_.size() >= whole) break;
    char buffer[4096];
    const std::size_t received = read(buffer, sizeof buffer);
    if (received == 0) return {};
    unread_.append(buffer, received);
  }
  std::string request = unread_.substr(0, whole);
  unread_.erase(0, whole);
  return request;
}

void PeerConnection::wait_for_data() {
  char byte = 0;
  recv(socket_, &byte, 1, MSG_PEEK);
}

void PeerConnection::wait_for_close() {
  char buffer[4096];
  while (read(buffer, sizeof buffer) > 0) {
  }
}

bool PeerConnection::send(std::string_view bytes) {
  if (socket_ < 0) return false;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool PeerConnection::send_session_tickets(int count) {
  if (socket_ < 0) return false;
  ERR_clear_error();
  for (int i = 0; i < count; ++i) {
    if (SSL_new_session_ticket(ssl_) != 1 || SSL_do_handshake(ssl_) != 1) return false;
  }
  // That a ticket cannot be sent, OpenSSL takes for no failure.
  pollfd ended{socket_, POLLRDHUP, 0};
  return poll(&ended, 1, 0) == 0;
}

void PeerConnection::finish(bool with_close_notify) {
  if (socket_ < 0) return;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    if (with_close_notify && SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
    ssl_ = nullptr;
  }
  const std::lock_guard lock(closing_);
  ::close(socket_);
  socket_ = -1;
}

void PeerConnection::close() {
  finish(true);
}

void PeerConnection::close_abruptly() {
  finish(false);
}

void PeerConnection::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  finish(false);
}

void PeerConnection::close_after_alert() {
  shutdown(socket_, SHUT_WR);
  char buffer[4096];
  while (recv(socket_, buffer, sizeof buffer, 0) > 0) {
  }
  finish(false);
}

void PeerConnection::interrupt() {
  const std::lock_guard lock(closing_);
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

std::string PeerConnection::server_name() const {
  const char* const name =
      ssl_ != nullptr ? SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name) : nullptr;
  return name != nullptr ? name : "";
}

bool PeerConnection::resumed() const {
  return ssl_ != nullptr && SSL_session_reused(ssl_) == 1;
}

std::string PeerConnection::client_name() const {
  X509* const certificate = ssl_ != nullptr ? SSL_get0_peer_certificate(ssl_) : nullptr;
  if (certificate == nullptr) return {};
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  return name;
}

std::shared_ptr<SSL_CTX> server_tls(const RawPeer::Options& options) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  bool good =
      SSL_CTX_use_certificate_chain_file(context.get(), options.tls.certificate.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), options.tls.private_key.c_str(),
                                  SSL_FILETYPE_PEM) == 1;
  if (good && !options.client_ca_file.empty()) {
    good = SSL_CTX_load_verify_file(context.get(), options.client_ca_file.c_str()) == 1;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  // Without it a server that verifies clients ends a connection that tries to resume.
  if (options.resumes_tls_sessions) {
    const unsigned char name[] = "peer";
    SSL_CTX_set_session_id_context(context.get(), name, sizeof name);
  }
  if (options.only_tls_1_2) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  if (options.only_tls_1_1) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  }
  if (!good) throw std::runtime_error("server certificate: " + options.tls.certificate);
  return context;
}

RawPeer::RawPeer(Script script) : RawPeer(Options{}, std::move(script)) {}

RawPeer::RawPeer(Options options, Script script)
    : options_(std::move(options)), script_(std::move(script)) {
  std::signal(SIGPIPE, SIG_IGN);
  if (!options_.tls.certificate.empty()) context_ = server_tls(options_);
  listen();
  acceptor_ = std::thread([this] { accept_all(); });
}

void RawPeer::listen() {
  sockaddr_storage address{};
  socklen_t size = 0;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (options_.address.find(':') != std::string::npos) {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(options_.port);
    inet_pton(AF_INET6, options_.address.c_str(), &v6->sin6_addr);
    size = sizeof *v6;
  } else {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&address);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(options_.port);
    inet_pton(AF_INET, options_.address.c_str(), &v4->sin_addr);
    size = sizeof *v4;
  }
  listener_ = socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0) fail("socket");
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options_.small_receive_buffer) {
    const int bytes = 4096;
    setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  if (bind(listener_, generic, size) != 0 || ::listen(listener_, 512) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    ::close(listener_);
    fail("listen on " + options_.address);
  }
  // The port is in the same place for both families.
  port_ = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

void RawPeer::accept_all() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (ending_ || (socket < 0 && errno != EINTR && errno != ECONNABORTED)) {
      if (socket >= 0) ::close(socket);
      return;
    }
    if (socket < 0) continue;
    open_.push_back(std::make_unique<PeerConnection>(socket, connections_++));
    threads_.emplace_back([this, &connection = *open_.back()] { serve(connection); });
  }
}

void RawPeer::serve(PeerConnection& connection) {
  if (context_ && !connection.start_tls(context_.get())) return connection.close_after_alert();
  script_(connection);
  connection.close();
}

void RawPeer::refuse_more() {
  shutdown(listener_, SHUT_RDWR);
}

RawPeer::~RawPeer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const auto& connection : open_) connection->interrupt();
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

SilentPort::SilentPort() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || bind(listener_, generic, size) != 0 || ::listen(listener_, 0) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    fail("listen");
  }
  port_ = ntohs(address.sin_port);
  for (int i = 0; i < 4; ++i) {
    const int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (filler < 0) fail("socket");
    fillers_.push_back(filler);
    if (connect(filler, generic, size) != 0 && errno != EINPROGRESS) fail("connect");
  }
}

SilentPort::~SilentPort() {
  for (const int filler : fillers_) ::close(filler);
  ::close(listener_);
}

std::string http_answer(std::string_view body, std::string_view status,
                        std::string_view more_headers) {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

bool Gate::wait() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this] { return open_; });
}

}  // namespace jobs_bridge::testing_support
