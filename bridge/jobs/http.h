#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bridge/jobs/error_body.h"

namespace jobs_bridge {

/// An HTTP request as it goes over the wire. `target` is sent verbatim (what is signed must be what
/// is sent), so the code that builds it must validate and escape every part of it.
struct HttpRequest {
  std::string method;
  std::string target;
  std::string body;
  /// In addition to Host, Content-Length and Connection, which the transport sets.
  std::vector<std::pair<std::string, std::string>> headers;
  /// Whether carrying it out twice does no harm. Then, and only then, a kept-alive connection that
  /// the peer closed just as the request went out may be replaced and the request sent once more.
  bool repeatable = false;
};

/// What the core reads of an HTTP answer. A header that was absent is an empty string.
struct HttpResponse {
  int status = 0;
  std::string body;
  std::string error_type;   ///< x-amzn-ErrorType, verbatim
  std::string request_id;   ///< x-amzn-RequestId, else x-amz-request-id
  std::string retry_after;  ///< Retry-After, verbatim
  std::string date;         ///< Date, verbatim
  /// What an error says in its body, if that has been parsed already: see read_refusal().
  std::optional<ErrorBody> error = {};
};

/// Why there is no answer.
struct HttpFailure {
  enum class Kind {
    resolve,             ///< the host name has no address, or none in time
    connect,             ///< unreachable, or no connection within the connect timeout
    refused,             ///< nothing listens on the port
    proxy,               ///< the same of the proxy, or it refused to connect to the peer
    tls,                 ///< the handshake failed
    certificate,         ///< the peer's certificate is not accepted
    timeout,             ///< connected, but no complete answer in time
    broken,              ///< reset, truncated, or not HTTP
    too_large,           ///< the answer exceeded the size limit
    stopped,             ///< we are shutting down
    credentials,         ///< there are no credentials to sign it with; it was not sent
    client_certificate,  ///< the peer requires a client certificate, or a different one
  };
  Kind kind = Kind::broken;
  /// False only if no byte of the request can have reached the peer.
  bool maybe_sent = true;
  /// For the operator: names host and cause, contains no secret.
  std::string detail;
};

using HttpOutcome = std::variant<HttpResponse, HttpFailure>;

}  // namespace jobs_bridge
