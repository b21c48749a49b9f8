// The bytes of an HTTP answer, as a peer may send them. Input: a byte that says how the bytes come
// (bit 0: as an answer to CONNECT; bit 1: the peer stays, and time runs out; the rest: most bytes
// at once, 0: any number), then the bytes. They are also read one by one: how they are cut must not
// matter.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "adapters/https/protocol.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"

namespace {

using namespace jobs_bridge;
using namespace jobs_bridge::https;
using fuzz::promise;

constexpr std::size_t max_body = 2048;
constexpr MonotonicTime deadline{std::chrono::hours(1)};

/// Sends what it was given, in pieces.
class Script final : public Connection {
 public:
  Script(std::string_view bytes, std::size_t piece, bool stays)
      : rest_(bytes), piece_(piece), stays_(stays) {}

  std::optional<IoFailure> write(std::string_view bytes, MonotonicTime) override {
    promise(sent_.empty(), "a request goes out in one write");
    sent_ = bytes;
    return std::nullopt;
  }
  Result<std::size_t, IoFailure> read(char* buffer, std::size_t size, MonotonicTime) override {
    promise(!sent_.empty(), "nothing is read before the request went out");
    promise(size > 0, "there is room for what is read");
    if (rest_.empty() && stays_)
      return Failure{IoFailure{HttpFailure::Kind::timeout, "time is up"}};
    const auto count = std::min({size, piece_, rest_.size()});
    std::copy_n(rest_.begin(), count, buffer);
    rest_.remove_prefix(count);
    return count;
  }
  bool quiet() override { return rest_.empty(); }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return sent_.size(); }
  [[nodiscard]] const std::string& sent() const { return sent_; }
  [[nodiscard]] std::size_t unread() const { return rest_.size(); }

 private:
  std::string_view rest_;
  const std::size_t piece_;
  const bool stays_;
  std::string sent_;
};

using Outcome = Result<Protocol::Answer, Protocol::NoAnswer>;

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) == 0x7f;
  });
}

std::size_t blank_lines(std::string_view bytes) {
  std::size_t count = 0;
  for (auto at = bytes.find("\n"); at != bytes.npos; at = bytes.find("\n", at + 1)) ++count;
  return count;
}

Outcome exchange(Script& connection) {
  Protocol protocol({.host_header = "endpoint.test", .max_body_bytes = max_body});
  const HttpRequest request{.method = "POST",
                            .target = "/things/pump-1/jobs/job_7",
                            .body = R"({"status":"FAILED"})",
                            .headers = {{"Content-Type", "application/json"}},
                            .repeatable = false};
  return protocol.exchange(connection, request, deadline);
}

void check(const Outcome& outcome, const Script& connection, std::string_view bytes) {
  promise(connection.sent().starts_with("POST /things/pump-1/jobs/job_7 HTTP/1.1\r\n"),
          "the request is sent as it is");
  if (!outcome) {
    const auto& failure = outcome.error().failure;
    promise(!failure.cause.empty() && is_plain(failure.cause), "a failure has a cause in one line");
    promise(failure.kind == HttpFailure::Kind::broken ||
                failure.kind == HttpFailure::Kind::too_large ||
                failure.kind == HttpFailure::Kind::timeout,
            "what is wrong is the answer");
    promise(outcome.error().began || connection.unread() == bytes.size(),
            "it is known whether an answer began");
    return;
  }
  const auto& response = outcome->response;
  promise(response.status >= 200 && response.status <= 599, "an answer has a final status");
  promise(response.body.size() <= max_body, "an answer's size is bounded");
  promise(bytes.starts_with("HTTP/1."), "what is no HTTP is no answer");
  promise(response.body.empty() || bytes.find(response.body.front()) != bytes.npos,
          "a body is the peer's");
  for (const auto* header :
       {&response.error_type, &response.request_id, &response.retry_after, &response.date}) {
    promise(is_plain(*header), "a header cannot forge a line");
  }
  promise(blank_lines(bytes) >= 2, "an answer has a head");
}

void check_same(const Outcome& one, const Outcome& other) {
  promise(one.has_value() == other.has_value(), "how an answer is cut does not matter");
  if (!one) {
    promise(one.error().failure.kind == other.error().failure.kind &&
                one.error().began == other.error().began,
            "how an answer is cut does not matter to why it is none");
    return;
  }
  promise(one->response.status == other->response.status &&
              one->response.body == other->response.body &&
              one->response.error_type == other->response.error_type &&
              one->response.retry_after == other->response.retry_after &&
              one->response.date == other->response.date,
          "how an answer is cut does not matter to what it says");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const unsigned manner = input.byte();
  const auto bytes = input.rest();
  const bool stays = (manner & 2U) != 0;
  const std::size_t piece = manner >> 2U == 0 ? bytes.size() + 1 : manner >> 2U;
  Script connection(bytes, piece, stays);
  Script slow(bytes, 1, stays);
  if ((manner & 1U) != 0) {
    Protocol protocol({.host_header = "endpoint.test", .max_body_bytes = max_body});
    const auto failure = protocol.open_tunnel(connection, "endpoint.test:443", "", deadline);
    if (failure) {
      promise(!failure->cause.empty() && is_plain(failure->cause), "a failure has a cause");
    } else {
      promise(bytes.starts_with("HTTP/1."), "what is no HTTP opens no tunnel");
    }
    return 0;
  }
  const auto outcome = exchange(connection);
  check(outcome, connection, bytes);
  const auto slowly = exchange(slow);
  check(slowly, slow, bytes);
  check_same(outcome, slowly);
  // A connection is not used again if the peer said more than the answer. What has not been read
  // is for Connection::quiet() to see.
  if (outcome.has_value() && outcome->connection_reusable) {
    promise(piece <= bytes.size() || connection.unread() == 0 || bytes.size() > 16 * 1024,
            "what comes behind an answer is not left for the next");
    promise(slowly->connection_reusable, "whether a connection serves again is no matter of cuts");
  }
  return 0;
}
