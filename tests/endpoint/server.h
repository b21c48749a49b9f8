#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/endpoint/clock.h"
#include "tests/endpoint/endpoint.h"

namespace jobs_endpoint {

/// PEM files; an empty certificate: plain HTTP.
struct TlsFiles {
  std::string certificate = {};
  std::string private_key = {};
  /// Non-empty: a client must show a certificate that one of these signed.
  std::string client_ca = {};
  /// Whether a client may do without one; what needs it is then refused by itself.
  bool client_may_be_unknown = false;
};

struct ServerOptions {
  /// A name or an address; IPv6 without brackets.
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: the kernel chooses
  TlsFiles tls = {};
};

/// Puts an Endpoint on a TCP port: HTTP/1.1 with keep-alive, plain or over TLS 1.2 and newer, all
/// connections on the thread that calls `run`.
class Server {
 public:
  /// Listens. `endpoint` and `clock` must outlive the server. Throws std::runtime_error whose text
  /// names what is wrong: the address, or the file.
  Server(const ServerOptions& options, Endpoint& endpoint, const Clock& clock);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "http://127.0.0.1:8080": the address with the port that it really has.
  [[nodiscard]] const std::string& url() const;
  [[nodiscard]] std::uint16_t port() const;

  /// From now on SIGTERM and SIGINT end `run`.
  void stop_on_signals();
  /// Serves until stopped.
  void run();
  /// Ends `run`; from any thread.
  void stop();

 private:
  struct Listener;
  std::unique_ptr<Listener> listener_;
};

}  // namespace jobs_endpoint
