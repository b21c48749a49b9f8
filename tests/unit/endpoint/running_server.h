#pragma once

#include <cstdint>
#include <thread>

#include "tests/endpoint/clock.h"
#include "tests/endpoint/server.h"

namespace jobs_endpoint::testing {

/// A server on a free loopback port, on a thread of its own, until this object goes.
class RunningServer {
 public:
  explicit RunningServer(const ServerOptions& options = {}, const EndpointOptions& endpoint = {})
      : endpoint_(endpoint),
        server_(options, endpoint_, clock_),
        thread_([this] { server_.run(); }) {}
  ~RunningServer() {
    server_.stop();
    thread_.join();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] const std::string& url() const { return server_.url(); }

 private:
  Clock clock_;
  Endpoint endpoint_;
  Server server_;
  std::thread thread_;
};

}  // namespace jobs_endpoint::testing
