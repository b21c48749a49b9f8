#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "adapters/https/tcp_connection.h"
#include "bridge/jobs/http.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::https {

/// HTTP/1.1, one request and its answer at a time: cpp-httplib's writing and parsing, over our own
/// connections, plus checks of the answer that the library omits. It keeps no state about a
/// connection. Used by one thread at a time.
class Protocol {
 public:
  struct Settings {
    std::string host_header;  ///< what Host says: the name, with the port if it is not the default
    std::size_t max_body_bytes;
  };
  struct Answer {
    HttpResponse response;
    /// Whether the connection may carry another request: both sides keep it open and nothing
    /// followed the answer, at least not in the bytes read so far.
    bool connection_reusable = false;
  };
  struct NoAnswer {
    IoFailure failure;
    /// Whether a byte of an answer arrived.
    bool began = false;
  };

  explicit Protocol(Settings settings);
  ~Protocol();

  /// Sends a request, in one write, and reads the whole answer by `deadline`. The request must have
  /// passed refusal_of(). May throw std::bad_alloc and the like when memory runs out; the
  /// connection must not be used after that.
  Result<Answer, NoAnswer> exchange(Connection& connection, const HttpRequest& request,
                                    MonotonicTime deadline);

  /// Asks a proxy for a tunnel to `target` (host:port). `authorization` is the value of
  /// Proxy-Authorization; empty: none.
  std::optional<IoFailure> open_tunnel(Connection& proxy, const std::string& target,
                                       const std::string& authorization, MonotonicTime deadline);

 private:
  class Client;
  const std::unique_ptr<Client> client_;
};

}  // namespace jobs_bridge::https
