#pragma once

#include <boost/asio/ssl/context.hpp>

#include "tests/endpoint/server.h"

namespace jobs_endpoint {

/// The server's side of TLS 1.2 and newer. Throws std::runtime_error that names the file at fault.
[[nodiscard]] boost::asio::ssl::context make_tls_context(const TlsFiles& files);

}  // namespace jobs_endpoint
