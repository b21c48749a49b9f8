#include "adapters/mqtt/connect_diagnosis.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>

#include "adapters/mqtt/tls_context.h"

namespace jobs_bridge::mqtt {
namespace {

using std::chrono::steady_clock;

/// How quickly a stop is noticed, in milliseconds.
constexpr int glance = 50;

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

constexpr const char* hung_up = "the broker closed the connection during the handshake";

std::string text_of(int error) {
  return std::system_category().message(error);
}

class Probe {
 public:
  Probe(const BrokerSettings& settings, const std::function<bool()>& stopping)
      : settings_(settings),
        stopping_(stopping),
        limit_(steady_clock::now() + settings.connect_timeout) {}
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() {
    if (socket_ >= 0) close(socket_);
  }

  std::string connect_tcp(const std::string& address) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const auto port = std::to_string(settings_.port);
    if (const int error = getaddrinfo(address.c_str(), port.c_str(), &hints, &found)) {
      return gai_strerror(error);
    }
    const std::unique_ptr<addrinfo, Free> target(found);
    socket_ = socket(target->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return text_of(errno);
    if (connect(socket_, target->ai_addr, target->ai_addrlen) == 0) return {};
    if (errno != EINPROGRESS) return text_of(errno);
    if (!wait(POLLOUT)) return "no answer to the TCP connect";
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    return error != 0 ? text_of(error) : "";
  }

  std::string shake_hands(SSL& ssl) {
    while (true) {
      const int outcome = SSL_connect(&ssl);
      if (outcome == 1) return {};
      const int error = SSL_get_error(&ssl, outcome);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) break;
      if (!wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) {
        return "no answer from the broker";
      }
    }
    const auto verified = SSL_get_verify_result(&ssl);
    return verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                                 : first_tls_error(hung_up);
  }

  [[nodiscard]] int descriptor() const { return socket_; }

 private:
  bool wait(int events) {
    pollfd ready{.fd = socket_, .events = static_cast<short>(events), .revents = 0};
    while (steady_clock::now() < limit_ && !stopping_()) {
      if (poll(&ready, 1, glance) > 0) return true;
    }
    return false;
  }

  const BrokerSettings& settings_;
  const std::function<bool()>& stopping_;
  const steady_clock::time_point limit_;
  int socket_ = -1;
};

std::string diagnose_tls(const BrokerSettings& settings, Probe& probe) {
  std::string fault;
  const auto context = tls_context_of(settings, fault);
  if (!context) return fault;
  const std::unique_ptr<SSL, Free> ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), probe.descriptor()) != 1) return first_tls_error(hung_up);
  ask_for_name(*ssl, settings);
  return probe.shake_hands(*ssl);
}

}  // namespace

std::string diagnose_connect(const BrokerSettings& settings, const std::string& address,
                             const std::function<bool()>& stopping) {
  Probe probe(settings, stopping);
  if (auto fault = probe.connect_tcp(address); !fault.empty()) return fault;
  if (!settings.tls) return {};
  auto fault = diagnose_tls(settings, probe);
  return fault.empty() ? fault : "TLS: " + fault;
}

}  // namespace jobs_bridge::mqtt
