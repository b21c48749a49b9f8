#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "adapters/https/https_endpoint.h"
#include "tests/support/raw_peer.h"

namespace jobs_bridge::https {

using namespace std::chrono_literals;
using testing_support::http_answer;
using testing_support::PeerConnection;
using testing_support::RawPeer;
using Kind = HttpFailure::Kind;
using Clock = std::chrono::steady_clock;

class SilentLog final : public Log {
 public:
  bool enabled(Severity) const override { return false; }
  void write(Severity, std::string_view, std::initializer_list<Field>) override {}
};

inline EndpointSettings plain(const RawPeer& peer) {
  EndpointSettings settings;
  settings.tls = false;
  settings.host = peer.address();
  settings.port = peer.port();
  return settings;
}

inline net::Lookup always(std::vector<std::string> addresses) {
  return [addresses](const std::string&) -> Result<std::vector<std::string>, std::string> {
    return addresses;
  };
}

/// An endpoint and one exchange with it.
class Client {
 public:
  explicit Client(EndpointSettings settings, net::Lookup lookup = net::look_up)
      : endpoint_(open(std::move(settings), std::move(lookup))), exchange_(endpoint_->open()) {}

  HttpOutcome perform(const HttpRequest& request, Duration limit = 10s) {
    return exchange_->perform(request, Clock::now() + limit);
  }
  Endpoint& endpoint() { return *endpoint_; }

 private:
  std::unique_ptr<Endpoint> open(EndpointSettings settings, net::Lookup lookup) {
    auto opened = open_endpoint(std::move(settings), log_, std::move(lookup));
    if (!opened) throw std::runtime_error(opened.error());
    return std::move(opened).value();
  }
  SilentLog log_;
  std::unique_ptr<Endpoint> endpoint_;
  std::unique_ptr<Exchange> exchange_;
};

inline HttpRequest put(std::string body = "{}", bool repeatable = false) {
  return {"PUT",
          "/things/T/jobs/$next",
          std::move(body),
          {{"Content-Type", "application/json"}},
          repeatable};
}

inline HttpRequest get(std::string target = "/things/T/jobs") {
  return {"GET", std::move(target), "", {}, true};
}

/// The answer; a failure fails the test and yields an answer with status 0.
inline HttpResponse answer(HttpOutcome outcome) {
  if (const auto* const failure = std::get_if<HttpFailure>(&outcome)) {
    ADD_FAILURE() << "no answer: " << failure->detail;
    return {};
  }
  return std::get<HttpResponse>(std::move(outcome));
}

/// The failure; an answer fails the test.
inline HttpFailure failure(HttpOutcome outcome) {
  if (const auto* const response = std::get_if<HttpResponse>(&outcome)) {
    ADD_FAILURE() << "an answer with status " << response->status << ": " << response->body;
    return {Kind::broken, true, "an answer"};
  }
  return std::get<HttpFailure>(std::move(outcome));
}

inline std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

/// Answers every request with its own body.
inline void echo(PeerConnection& connection) {
  for (;;) {
    const std::string request = connection.read_request();
    if (request.empty() || !connection.send(http_answer(body_of(request)))) return;
  }
}

/// Runs `action` and checks that it took `limit`: not less, at most a tenth more, and what a busy
/// machine adds.
template <typename Action>
void expect_ends_at(Duration limit, Action action) {
  const auto start = Clock::now();
  action();
  const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  EXPECT_GE(taken + 1ms, limit);
  EXPECT_LE(taken, limit + limit / 10 + 150ms);
}

inline void PrintTo(Kind kind, std::ostream* out) {
  constexpr const char* kNames[] = {
      "resolve", "connect", "refused",   "proxy",   "tls",         "certificate",
      "timeout", "broken",  "too_large", "stopped", "credentials", "client_certificate"};
  *out << kNames[static_cast<int>(kind)];
}

}  // namespace jobs_bridge::https
