#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <string>

#include "tests/endpoint/clock.h"
#include "tests/endpoint/endpoint.h"

namespace jobs_endpoint {

/// What all connections share. They run on one thread.
struct Service {
  Endpoint& endpoint;
  const Clock& clock;
  std::uint64_t connections = 0;
  std::int64_t date_second = -1;
  std::string date_text = {};

  /// For the Date header; made anew once a second.
  [[nodiscard]] const std::string& date(Instant now);
};

/// Serve one connection to its end. Its errors end it and affect nothing else.
boost::asio::awaitable<void> serve_plain(boost::asio::ip::tcp::socket socket, Service& service);
boost::asio::awaitable<void> serve_tls(boost::asio::ip::tcp::socket socket,
                                       boost::asio::ssl::context& tls, Service& service);

}  // namespace jobs_endpoint
