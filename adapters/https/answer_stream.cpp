#include "adapters/https/answer_stream.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "bridge/text/ascii.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;
using Framing = AnswerHead::Framing;

Failure<IoFailure> broken(std::string cause) {
  return Failure{IoFailure{Kind::broken, std::move(cause)}};
}

/// Whether a comma-separated list holds the word, in any case.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trimmed(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// The library percent-decodes header values, so that they may hold anything. A value with control
/// characters, which could forge lines in a log, is treated as absent.
std::string printable(const std::string& value) {
  return std::ranges::none_of(value, is_control) ? value : std::string();
}

/// The headers that say how the answer is to be read.
struct Framers {
  const std::string* length = nullptr;
  const std::string* coding = nullptr;
  bool repeated = false;
  bool compressed = false;

  void note(const std::string*& header, const std::string& value) {
    repeated = repeated || header != nullptr;
    header = &value;
  }
};

/// A header with a single value, which a proxy may repeat. If two values differ, none counts: not
/// every version of cpp-httplib keeps their order.
class Single {
 public:
  void note(const std::string& value) {
    contradicted_ = contradicted_ || (value_ != nullptr && *value_ != value);
    value_ = &value;
  }
  [[nodiscard]] std::string text() const {
    return value_ == nullptr || contradicted_ ? std::string() : printable(*value_);
  }

 private:
  const std::string* value_ = nullptr;
  bool contradicted_ = false;
};

Framers sort_headers(const httplib::Headers& headers, AnswerHead& head) {
  Framers framers;
  Single error_type;
  Single request_id;
  Single older_request_id;
  Single retry_after;
  Single date;
  for (const auto& [name, value] : headers) {
    const auto is = [&, &header = name](std::string_view word) {
      return equal_ignoring_case(header, word);
    };
    if (is("Content-Length")) {
      framers.note(framers.length, value);
    } else if (is("Transfer-Encoding")) {
      framers.note(framers.coding, value);
    } else if (is("Content-Encoding")) {
      framers.compressed = framers.compressed || !equal_ignoring_case(value, "identity");
    } else if (is("Connection")) {
      head.keeps_connection = head.keeps_connection && !lists(value, "close");
    } else if (is("x-amzn-ErrorType")) {
      error_type.note(value);
    } else if (is("x-amzn-RequestId")) {
      request_id.note(value);
    } else if (is("x-amz-request-id")) {
      older_request_id.note(value);
    } else if (is("Retry-After")) {
      retry_after.note(value);
    } else if (is("Date")) {
      date.note(value);
    }
  }
  HttpResponse& response = head.response;
  response.error_type = error_type.text();
  response.request_id = request_id.text();
  if (response.request_id.empty()) response.request_id = older_request_id.text();
  response.retry_after = retry_after.text();
  response.date = date.text();
  return framers;
}

}  // namespace

Result<AnswerHead, IoFailure> read_head(const httplib::Response& response,
                                        std::size_t max_body_bytes) {
  const int status = response.status;
  if (status < 200)
    return broken("interim answer " + std::to_string(status) + " in place of a final one");
  if (status > 599) return broken("answer with the unknown status " + std::to_string(status));
  if (status == 304) return broken("answer 304 to a request without a condition");

  AnswerHead head;
  head.response.status = status;
  head.keeps_connection = response.version == "HTTP/1.1";
  const Framers framers = sort_headers(response.headers, head);

  if (framers.repeated) return broken("more than one Content-Length or Transfer-Encoding");
  if (framers.length != nullptr && framers.coding != nullptr) {
    return broken("both Content-Length and Transfer-Encoding");
  }
  if (framers.compressed) {
    return broken("an answer with a Content-Encoding, which was not asked for");
  }
  if (framers.coding != nullptr) {
    if (!equal_ignoring_case(*framers.coding, "chunked")) {
      return broken("a Transfer-Encoding other than chunked");
    }
    head.framing = Framing::chunked;
  } else if (framers.length != nullptr) {
    const auto length = parse_number<std::size_t>(*framers.length);
    if (!length) return broken("a Content-Length that is not a number");
    if (*length > max_body_bytes) {
      return Failure{IoFailure{Kind::too_large, "the answer has " + std::to_string(*length) +
                                                    " bytes; the limit is " +
                                                    std::to_string(max_body_bytes)}};
    }
    head.framing = Framing::length;
    head.length = *length;
  } else if (status != 204) {
    head.framing = Framing::end_of_stream;
  }
  if (status == 204 && (head.framing == Framing::chunked || head.length > 0)) {
    return broken("an answer 204 with a body");
  }
  return head;
}

namespace {

using Kind = HttpFailure::Kind;

constexpr std::size_t kMaxStatusLine = 1024;
// The library matches the status line with std::regex, which recurses for each character: 768 of
// them overflow a fiber's stack. The reason phrase is not needed.
constexpr std::size_t kStatusLineForLibrary = 64;
constexpr std::size_t kMaxHead = 64 * 1024;
// Newer versions of the library stop reading at lines of 8,192 bytes and at 100 headers, without a
// reason. Our limits are lower, and are the same with all versions.
constexpr std::size_t kMaxLine = 8000;
constexpr std::size_t kMaxHeaders = 99;

/// 101 is not one: what follows it is not HTTP.
bool begins_interim_answer(std::string_view start) {
  return start.starts_with("HTTP/1.") && start.substr(8, 2) == " 1" && start.substr(9) != "101";
}

}  // namespace

thread_local AnswerStream::Buffer AnswerStream::buffer_;

AnswerStream::AnswerStream(Connection& connection, const std::string& request,
                           MonotonicTime deadline, std::size_t max_body_bytes)
    : connection_(connection),
      request_(request),
      deadline_(deadline),
      // A chunk of one byte takes six. This bounds what framing, trailers included, may add.
      max_body_wire_bytes_(6 * max_body_bytes + kMaxHead),
      limit_(kMaxStatusLine) {}

/// Sends the request if that has not been done yet, and reads more. False at the end or on a
/// failure.
bool AnswerStream::more() {
  if (failure_) return false;
  if (!std::exchange(request_sent_, true)) {
    if (auto failure = connection_.write(request_, deadline_)) {
      failure_ = std::move(failure);
      return false;
    }
  }
  const auto received = connection_.read(buffer_.data(), buffer_.size(), deadline_);
  begin_ = 0;
  end_ = received ? *received : 0;
  if (!received) {
    failure_ = received.error();
  } else if (end_ == 0 && end_of_stream_is_fine_) {
    end_of_stream_ = true;
  } else if (end_ == 0) {
    failure_ = {Kind::broken, taken_ == 0 ? "the peer closed the connection without an answer"
                                          : "the peer closed the connection in mid-answer"};
  }
  return end_ > 0;
}

void AnswerStream::begin_body(bool chunked) {
  in_body_ = true;
  if (chunked) chunks_.emplace();
  limit_ = taken_ + max_body_wire_bytes_;
}

ssize_t AnswerStream::fail_at_limit() {
  if (line_size_ > kMaxLine) {
    failure_ = {Kind::too_large, "a line of the answer's head or of its chunks is longer than " +
                                     std::to_string(kMaxLine) + " bytes"};
  } else if (headers_ > kMaxHeaders) {
    failure_ = {Kind::too_large,
                "the answer has more than " + std::to_string(kMaxHeaders) + " headers"};
  } else if (in_body_) {
    failure_ = {Kind::too_large, "the body of the answer and its framing are longer than allowed"};
  } else if (in_status_line_ && taken_ <= kMaxHead) {
    failure_ = {Kind::broken, "not HTTP: the status line has no end"};
  } else {
    failure_ = {Kind::too_large,
                "the head of the answer is longer than " + std::to_string(kMaxHead) + " bytes"};
  }
  return -1;
}

/// The next byte; nothing at the end or on a failure.
std::optional<char> AnswerStream::next() {
  if (begin_ == end_ && !more()) return std::nullopt;
  if (++taken_ > limit_ || line_size_ > kMaxLine) {
    fail_at_limit();
    return std::nullopt;
  }
  return buffer_[begin_++];
}

/// Skips interim answers, whose heads end with a blank line like any other. False if the beginning
/// of the final head could not be read.
bool AnswerStream::begin_head() {
  for (;;) {
    for (start_size_ = 0; start_size_ < start_.size();) {
      const auto byte = next();
      if (!byte) return start_size_ > 0;
      start_[start_size_++] = *byte;
      if (*byte == '\n') return true;
    }
    if (!begins_interim_answer({start_.data(), start_.size()})) return true;
    limit_ = kMaxHead;
    if (!skip_head()) return false;
    limit_ = std::min(taken_ + kMaxStatusLine, kMaxHead);
  }
}

bool AnswerStream::skip_head() {
  line_size_ = start_.size();
  for (;;) {
    const auto byte = next();
    if (!byte) return false;
    if (*byte == '\n') {
      if (std::exchange(line_size_, 0) == 0) return true;
    } else if (*byte != '\r') {
      ++line_size_;
    }
  }
}

void AnswerStream::take(char byte) {
  last_four_ = (last_four_ << 8) | static_cast<unsigned char>(byte);
  ++line_size_;
  if (byte == '\n') end_line();
}

void AnswerStream::end_line() {
  const bool blank = std::exchange(line_size_, 0) <= 2;
  if (in_body_) return;
  if (in_status_line_) {
    in_status_line_ = false;
    limit_ = kMaxHead;
  } else if (!blank) {
    ++headers_;
  }
}

/// Skips the rest of the status line, except its end. False if that could not be read.
bool AnswerStream::skip_reason() {
  while (begin_ != end_ || more()) {
    const char next = buffer_[begin_];
    if (next == '\r' || next == '\n') return true;
    ++begin_;
    if (++taken_ > limit_) {
      fail_at_limit();
      return false;
    }
  }
  return false;
}

/// Skips everything between the last chunk and the blank line after it.
bool AnswerStream::skip_trailers() {
  for (std::size_t trailers = 0;; ++trailers) {
    if (begin_ == end_ && !more()) return false;
    if (buffer_[begin_] == '\r' || buffer_[begin_] == '\n') return true;
    headers_ = trailers + 1;
    if (headers_ > kMaxHeaders) {
      fail_at_limit();
      return false;
    }
    for (char byte = 0; byte != '\n'; ++line_size_) {
      const auto read = next();
      if (!read) return false;
      byte = *read;
    }
    line_size_ = 0;
  }
}

ssize_t AnswerStream::read(char* to, size_t size) {
  if (start_size_ == 0 && !begin_head()) return -1;
  if (start_given_ < start_size_) {
    take(*to = start_[start_given_++]);
    return 1;
  }
  if (in_status_line_ && line_size_ >= kStatusLineForLibrary && !skip_reason()) return -1;
  if (chunks_ && chunks_->at_trailers() && !skip_trailers()) return -1;
  if (begin_ == end_ && !more()) return end_of_stream_ ? 0 : -1;
  // The library reads lines byte by byte, so this case is optimised.
  const std::size_t count = size == 1 ? 1 : std::min(size, end_ - begin_);
  if (count == 1) {
    take(*to = buffer_[begin_]);
  } else {
    std::memcpy(to, buffer_.data() + begin_, count);
    for (std::size_t i = count - std::min<std::size_t>(count, 4); i < count; ++i) take(to[i]);
  }
  if (size > 1) line_size_ = 0;  // of a body, not of a line
  begin_ += count;
  taken_ += count;
  if (taken_ > limit_ || line_size_ > kMaxLine || headers_ > kMaxHeaders) return fail_at_limit();
  if (chunks_ && !chunks_->take({to, count})) {
    failure_ = {Kind::broken, chunks_->fault()};
    return -1;
  }
  return static_cast<ssize_t>(count);
}

}  // namespace jobs_bridge::https
