#include "adapters/https/protocol.h"

#include "adapters/httplib/library.h"
#include "adapters/https/answer_stream.h"
#include "adapters/https/request_text.h"

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;
using Framing = AnswerHead::Framing;

/// The answer to one request while it is read.
struct Reading {
  AnswerStream stream;
  const std::size_t max_body_bytes;
  AnswerHead head = {};
  std::optional<IoFailure> refusal = std::nullopt;

  bool accept_head(const httplib::Response& response) {
    auto read = read_head(response, max_body_bytes);
    if (!read) {
      refusal = read.error();
      return false;
    }
    head = std::move(read).value();
    head.response.body.reserve(head.length);
    if (head.framing == Framing::end_of_stream) stream.let_end_of_stream_end_body();
    stream.begin_body(head.framing == Framing::chunked);
    return true;
  }

  bool accept_body(const char* data, std::size_t size) {
    std::string& body = head.response.body;
    if (size > max_body_bytes - body.size()) {
      refusal = IoFailure{Kind::too_large,
                          "the answer is longer than " + std::to_string(max_body_bytes) + " bytes"};
      return false;
    }
    body.append(data, size);
    return true;
  }

  /// Finds faults in an answer that the library considers complete.
  std::optional<IoFailure> fault_at_the_end() const {
    // Some versions accept a truncated chunked body as complete.
    if (head.framing == Framing::chunked && !stream.ended_in_blank_line()) {
      return IoFailure{Kind::broken, "truncated chunked body"};
    }
    if (head.framing == Framing::end_of_stream && head.response.body.empty()) {
      return IoFailure{Kind::broken, "an answer with neither a length nor a body"};
    }
    return std::nullopt;
  }
};

}  // namespace

/// Only the parsing of answers is used of cpp-httplib's client: its own sockets have no overall
/// deadline, cannot be stopped while connecting, verify less and do not report what was sent.
class Protocol::Client {
 public:
  explicit Client(Settings settings)
      : max_body_bytes_(settings.max_body_bytes), request_text_(settings.host_header) {
    asked_.response_handler = [this](const httplib::Response& head) {
      return reading_->accept_head(head);
    };
    asked_.content_receiver = [this](const char* data, size_t size, std::uint64_t, std::uint64_t) {
      return reading_->accept_body(data, size);
    };
  }

  Result<Answer, NoAnswer> exchange(Connection& connection, const HttpRequest& request,
                                    MonotonicTime deadline) {
    request_text_.write(wire_, request);
    Reading reading{{connection, wire_, deadline, max_body_bytes_}, max_body_bytes_};
    httplib::Response response;
    // All answers except to HEAD are read like those to GET: for other methods the library would
    // record for each request that it has no body.
    auto failure = read(reading, request.method == "HEAD" ? "HEAD" : "GET", response);
    // The library calls the handler only for answers that have a body.
    if (!failure && response.status == 204 && !reading.accept_head(response)) {
      failure = reading.refusal;
    }
    if (!failure) failure = reading.fault_at_the_end();
    if (failure) return Failure{NoAnswer{*std::move(failure), reading.stream.answer_began()}};
    const bool reusable = reading.head.keeps_connection &&
                          reading.head.framing != Framing::end_of_stream &&
                          !reading.stream.has_surplus();
    return Answer{std::move(reading.head.response), reusable};
  }

  std::optional<IoFailure> open_tunnel(Connection& proxy, const std::string& target,
                                       const std::string& authorization, MonotonicTime deadline) {
    const std::string request = RequestText::tunnel(target, authorization);
    Reading reading{{proxy, request, deadline, 0}, 0};
    httplib::Response response;
    if (auto failure = read(reading, "CONNECT", response)) return failure;
    // For CONNECT the library accepts any first line as an answer; the status is then -1.
    if (response.status < 200 || response.status > 299) {
      return IoFailure{Kind::connect,
                       response.status < 0
                           ? std::string("its answer to CONNECT is not HTTP")
                           : "it refused the tunnel with status " +
                                 std::to_string(response.status) +
                                 (response.status == 407 ? " (authentication required)" : "")};
    }
    if (reading.stream.has_surplus()) {
      return IoFailure{Kind::broken, "it sent more than its answer to CONNECT"};
    }
    return std::nullopt;
  }

 private:
  /// `method`: what decides how the answer is read.
  std::optional<IoFailure> read(Reading& reading, const char* method, httplib::Response& response) {
    asked_.method = method;
    reading_ = &reading;
    const bool whole = library_.exchange(reading.stream, asked_, response);
    if (reading.refusal) return reading.refusal;
    if (reading.stream.failure()) return reading.stream.failure();
    if (!whole) return IoFailure{Kind::broken, "the answer is not HTTP/1.1"};
    return std::nullopt;
  }

  http_library::Client library_;
  const std::size_t max_body_bytes_;
  const RequestText request_text_;
  std::string wire_;
  /// The request object for the library, reused so that it is not built for each request.
  httplib::Request asked_;
  Reading* reading_ = nullptr;  ///< while one is read
};

Protocol::Protocol(Settings settings) : client_(std::make_unique<Client>(std::move(settings))) {}

Protocol::~Protocol() = default;

Result<Protocol::Answer, Protocol::NoAnswer> Protocol::exchange(Connection& connection,
                                                                const HttpRequest& request,
                                                                MonotonicTime deadline) {
  return client_->exchange(connection, request, deadline);
}

std::optional<IoFailure> Protocol::open_tunnel(Connection& proxy, const std::string& target,
                                               const std::string& authorization,
                                               MonotonicTime deadline) {
  return client_->open_tunnel(proxy, target, authorization, deadline);
}

}  // namespace jobs_bridge::https
