#pragma once

#include <memory>
#include <string>

#include "adapters/https/tcp_connection.h"
#include "adapters/https/tls_context.h"
#include "adapters/tls/handshake.h"

namespace jobs_bridge::https {

/// TLS over a TCP connection, after the handshake and with the peer verified.
class TlsConnection final : public Connection {
 public:
  static Result<std::unique_ptr<TlsConnection>, IoFailure> open(
      std::unique_ptr<TcpConnection> tcp, std::shared_ptr<const TlsContext> context,
      MonotonicTime deadline);
  TlsConnection(std::unique_ptr<TcpConnection> tcp, SslPointer ssl,
                std::shared_ptr<const TlsContext> context);
  /// Sends close_notify if the connection has not failed. Does not block.
  ~TlsConnection() override;
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  std::optional<IoFailure> write(std::string_view bytes, MonotonicTime deadline) override;
  Result<std::size_t, IoFailure> read(char* buffer, std::size_t size,
                                      MonotonicTime deadline) override;
  bool quiet() override;
  [[nodiscard]] std::uint64_t bytes_sent() const override;

  /// "TLSv1.3, TLS_AES_256_GCM_SHA384", followed by ", resumed" if so.
  [[nodiscard]] std::string description() const;

 private:
  std::optional<IoFailure> handshake(MonotonicTime deadline);
  /// After `result` of an OpenSSL call: waits if OpenSSL needs that, otherwise returns what is
  /// wrong.
  std::optional<IoFailure> wait_or_fail(int result, MonotonicTime deadline, const char* doing);
  static void on_message(int sent, int version, int type, const void* bytes, std::size_t size,
                         SSL* ssl, void* connection);
  [[nodiscard]] IoFailure failure_of(const tls::HandshakeFault& fault, std::string doing) const;

  /// Kept because its session memory is called as long as the connection lives.
  const std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<TcpConnection> tcp_;
  SslPointer ssl_;
  bool usable_ = false;
  bool got_data_ = false;  ///< the server has sent application data
  /// The number of TLS messages without application data (session tickets, key updates) since the
  /// handshake or the last answer. It is limited, since a server could keep us busy with them
  /// without end.
  int own_messages_ = 0;
};

}  // namespace jobs_bridge::https
