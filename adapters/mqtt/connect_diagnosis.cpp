#include "adapters/mqtt/connect_diagnosis.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

/// The first thing that went wrong: what follows it in OpenSSL's queue are consequences.
std::string first_error() {
  const auto code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "the broker closed the connection during the TLS handshake";
}

std::string text_of(int error) {
  return std::system_category().message(error);
}

struct Socket {
  int descriptor = -1;
  std::string fault;

  Socket() = default;
  Socket(Socket&& other) noexcept
      : descriptor(std::exchange(other.descriptor, -1)), fault(std::move(other.fault)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor >= 0) close(descriptor);
  }
};

/// Waits for the connect in progress; then the socket blocks, with a limit on each read.
std::string finish_connect(int descriptor, std::chrono::seconds limit) {
  pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
  const auto milliseconds = static_cast<int>(std::chrono::milliseconds(limit).count());
  if (poll(&ready, 1, milliseconds) == 0) return "no answer to the TCP connect";
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return text_of(error);
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  const timeval patience{.tv_sec = limit.count(), .tv_usec = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return {};
}

/// Connects to the first of the host's addresses, as Paho does.
Socket open_socket(const BrokerSettings& settings) {
  Socket result;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = std::to_string(settings.port);
  if (const int error = getaddrinfo(settings.host.c_str(), port.c_str(), &hints, &found)) {
    result.fault = "cannot resolve the host name: " + std::string(gai_strerror(error));
    return result;
  }
  const std::unique_ptr<addrinfo, Free> address(found);
  result.descriptor =
      socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (result.descriptor < 0) {
    result.fault = text_of(errno);
  } else if (connect(result.descriptor, address->ai_addr, address->ai_addrlen) != 0 &&
             errno != EINPROGRESS) {
    result.fault = text_of(errno);
  } else {
    result.fault = finish_connect(result.descriptor, settings.connect_timeout);
  }
  return result;
}

std::string load(SSL_CTX& context, const BrokerSettings& settings) {
  const bool trusted =
      settings.ca_file.empty()
          ? SSL_CTX_set_default_verify_paths(&context) == 1
          : SSL_CTX_load_verify_locations(&context, settings.ca_file.c_str(), nullptr) == 1;
  if (!trusted) return "broker.ca_file " + settings.ca_file + ": " + first_error();
  if (settings.certificate_file.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(&context, settings.certificate_file.c_str()) != 1) {
    return "broker.certificate_file " + settings.certificate_file + ": " + first_error();
  }
  const auto& key = settings.private_key_file;
  if (SSL_CTX_use_PrivateKey_file(&context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(&context) != 1) {
    return "broker.private_key_file " + key + ": " + first_error();
  }
  return {};
}

void expect_name(SSL& ssl, const std::string& host) {
  auto* expected = SSL_get0_param(&ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return;
  auto name = host;  // what the macro SSL_set_tlsext_host_name does, without its C cast
  SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  SSL_set1_host(&ssl, host.c_str());
}

}  // namespace

std::string diagnose_connect(const BrokerSettings& settings) {
  ERR_clear_error();
  const Socket socket = open_socket(settings);
  if (!socket.fault.empty()) return socket.fault;
  if (!settings.tls) return {};

  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return first_error();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (auto fault = load(*context, settings); !fault.empty()) return "TLS: " + fault;
  const std::unique_ptr<SSL, Free> ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), socket.descriptor) != 1) return first_error();
  expect_name(*ssl, settings.host);
  if (SSL_connect(ssl.get()) == 1) return {};
  const auto verified = SSL_get_verify_result(ssl.get());
  if (verified != X509_V_OK) {
    return std::string("TLS: ") + X509_verify_cert_error_string(verified);
  }
  return "TLS: " + first_error();
}

}  // namespace jobs_bridge::mqtt
