#pragma once

#include <openssl/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/certificates.h"

namespace jobs_endpoint::testing {

/// How a connection's last read ended.
enum class End { open, closed, reset, timed_out };

/// One connection to a server on the loopback address, which sends and receives raw bytes. Every
/// wait gives up after ten seconds unless documented otherwise.
class RawClient {
 public:
  struct Tls {
    bool use = false;
    std::string ca_file = {};
    jobs_bridge::testing_support::CertificateFiles certificate = {};
    bool only_tls_1_1 = false;
  };

  explicit RawClient(std::uint16_t port) : RawClient(port, Tls{}) {}
  /// Connects, and shakes hands if told so; `connected` says with what success.
  RawClient(std::uint16_t port, const Tls& tls);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void send(std::string_view bytes);
  /// An answer by its Content-Length, head and body; what came until then if it ended before.
  std::string read_answer();
  /// All until the other side ends, or the limit.
  std::string read_all(std::chrono::milliseconds limit = std::chrono::seconds(10));
  [[nodiscard]] End end() const { return end_; }
  /// Whether TLS's close_notify came before the end.
  [[nodiscard]] bool got_close_notify() const;

 private:
  void shake_hands(const Tls& tls);
  bool read_some(std::chrono::milliseconds limit);

  int socket_ = -1;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  bool connected_ = false;
  std::string unread_;
  End end_ = End::open;
};

/// A request with the headers that it needs.
[[nodiscard]] std::string request(std::string_view method, std::string_view target,
                                  std::string_view body = "", std::string_view more_headers = "");

/// Of an answer.
[[nodiscard]] int status_of(const std::string& answer);
[[nodiscard]] std::string body_of(const std::string& answer);

}  // namespace jobs_endpoint::testing
