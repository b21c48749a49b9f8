#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/fibers/wait.h"
#include "adapters/files/file_descriptor.h"
#include "bridge/jobs/http.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::https {

/// Why a step of a request failed; what had been sent by then is added later.
struct IoFailure {
  HttpFailure::Kind kind = HttpFailure::Kind::broken;
  std::string cause;
};

/// A byte stream to the peer, plain or through TLS, whose operations all end by their deadline.
/// Used by one thread at a time. After a failure it can only be destroyed.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Sends all of `bytes`, or returns why that failed.
  virtual std::optional<IoFailure> write(std::string_view bytes, MonotonicTime deadline) = 0;

  /// Waits for at least one byte and returns what is available, `size` bytes at most. 0: the peer
  /// closed the connection; with TLS, properly by close_notify.
  virtual Result<std::size_t, IoFailure> read(char* buffer, std::size_t size,
                                              MonotonicTime deadline) = 0;

  /// Whether the connection is still open, as far as is known locally, and has no unread bytes.
  /// Only such a connection may carry another request: unread bytes would be taken for its answer.
  /// Does not block.
  virtual bool quiet() = 0;

  /// The number of bytes given to the operating system, including TLS's own records.
  [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
};

using fibers::StopSignal;
using fibers::wait_for;
using fibers::Waited;
using files::FileDescriptor;

/// A TCP connection. Its socket is non-blocking (wait_for() does the waiting), has TCP_NODELAY and
/// is closed on exec.
class TcpConnection final : public Connection {
 public:
  /// Connects to a literal address. `stop` must outlive the connection.
  static Result<std::unique_ptr<TcpConnection>, IoFailure> open(const std::string& address,
                                                                std::uint16_t port,
                                                                MonotonicTime deadline,
                                                                const StopSignal& stop);
  TcpConnection(FileDescriptor socket, const StopSignal& stop)
      : socket_(std::move(socket)), stop_(stop) {}

  std::optional<IoFailure> write(std::string_view bytes, MonotonicTime deadline) override;
  Result<std::size_t, IoFailure> read(char* buffer, std::size_t size,
                                      MonotonicTime deadline) override;
  bool quiet() override;
  [[nodiscard]] std::uint64_t bytes_sent() const override { return sent_; }

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  /// Like wait_for(), for this connection.
  Waited wait(short events, MonotonicTime deadline) noexcept {
    return wait_for(socket_.get(), events, deadline, stop_, id_);
  }

 private:
  FileDescriptor socket_;
  const std::uint64_t id_ = fibers::descriptor_id();
  const StopSignal& stop_;
  std::uint64_t sent_ = 0;
};

/// The failure for a wait that did not become ready; `what` tells what was waited for.
IoFailure wait_failure(Waited waited, std::string what);

}  // namespace jobs_bridge::https
