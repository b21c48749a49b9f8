#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jobs_bridge {

/// Why calls to the endpoint fail, for any device: made where the fault is known, so that the
/// operator's hint follows from the kind and never from a text.
enum class EndpointFault : std::uint8_t {
  none,
  name,                ///< the host's name has no address
  connection,          ///< unreachable, or not made in time
  refused,             ///< nothing listens on the port
  proxy,               ///< the same of the proxy, or the proxy refused to connect
  tls,                 ///< the TLS handshake failed
  certificate,         ///< the endpoint's certificate is not accepted
  client_certificate,  ///< the endpoint requires a client certificate, or a different one
  no_credentials,      ///< there are none to sign with; nothing was sent
  not_signed,          ///< the endpoint requires a signature, and there was none
  signature,           ///< it refused the signature, the credentials, or the time of signing
  access,              ///< the gateway lacks the permission
  forbidden,           ///< HTTP 401 or 403 that does not say why
  no_answer,           ///< none in time, or the connection broke
  not_the_api,         ///< an answer that the Jobs API does not give: of a proxy, another server
  server_error,        ///< HTTP 5xx
};

/// A word of [a-z_], for programs; empty for `none`.
std::string_view to_string(EndpointFault fault);

/// What the operator can do about it: a phrase that begins with a small letter and has no full
/// stop. Empty for `none`.
std::string_view hint_of(EndpointFault fault);

/// The same for `access`, where it is known what a policy has to allow: `actions`, such as
/// "iotjobsdata:UpdateJobExecution".
std::string hint_to_allow(std::string_view actions);

}  // namespace jobs_bridge
