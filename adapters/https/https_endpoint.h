#pragma once

#include <memory>
#include <string>

#include "adapters/https/endpoint_settings.h"
#include "adapters/net/resolver.h"
#include "bridge/ports/endpoint.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"

/// The HTTPS side of the bridge: implements the ports Endpoint and Exchange.
///
/// HTTP/1.1 is cpp-httplib's, TLS is OpenSSL's; sockets, deadlines and name resolution are ours,
/// because the library bounds neither a whole request nor a lookup. From the bottom up: fibers/wait
/// (deadline and stop), tcp_connection, tls_connection, protocol (one request and its answer),
/// connector (name to connection), https_exchange (keep-alive and repetition).
///
/// The process must ignore SIGPIPE (`signal(SIGPIPE, SIG_IGN)`, once, before the first request):
/// OpenSSL writes to sockets in a way that raises it when the peer has closed.
namespace jobs_bridge::https {

/// Checks the settings and loads authorities, certificate and key for all connections; sends
/// nothing. An error names the setting, the file and the cause. `log` must outlive the Endpoint.
///
/// What its exchanges guarantee beyond bridge/ports/endpoint.h:
/// - A request never outlasts connect_timeout + answer_timeout, nor the deadline given.
/// - TLS sessions are resumed, for an hour after the certificate was verified.
/// - The peer must prove its name (subject alternative names only) to one of the authorities, over
///   TLS 1.2 or later. If it cannot, the failure is HttpFailure::Kind::tls, with the reason.
/// - No redirect is followed, no compression offered or accepted.
/// - Authorities, certificate and key that are replaced on disk are noticed within a second of the
///   next request; connections made earlier are not reused.
/// - A connection is reused only after a faultless answer with no bytes after it. A request is sent
///   twice only if it was `repeatable` (or no byte of it had left) and the kept-alive connection
///   ended without a byte of an answer.
/// - stop() ends requests in progress at once, wherever they are; this takes no watching thread.
/// - With several addresses a failed connect moves on to the next, in the same request while time
///   is left, and later requests start from the one that worked.
/// - A limitation of HTTP/1.1 remains: an unsolicited answer from a faulty peer usually arrives
///   early and is discarded with its connection, but one in transit just as the next request is
///   sent cannot be distinguished from that request's own answer.
Result<std::unique_ptr<Endpoint>, std::string> open_endpoint(EndpointSettings settings, Log& log,
                                                             net::Lookup lookup = net::look_up);

}  // namespace jobs_bridge::https
