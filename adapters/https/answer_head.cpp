#include "adapters/https/answer_head.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace jobs_bridge::https {
namespace {

using Kind = HttpFailure::Kind;
using Framing = AnswerHead::Framing;

Failure<IoFailure> broken(std::string cause) {
  return Failure{IoFailure{Kind::broken, std::move(cause)}};
}

bool same_word(std::string_view one, std::string_view other) {
  return one.size() == other.size() && strncasecmp(one.data(), other.data(), one.size()) == 0;
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whether a comma-separated list holds the word, in any case.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (same_word(item, word)) return true;
  }
  return false;
}

/// The library percent-decodes header values, so that they may hold anything. A value with control
/// characters, which could forge lines in a log, is as good as none.
std::string printable(const std::string& value) {
  const bool good = std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < ' ' || byte == 0x7f;
  });
  return good ? value : std::string();
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

Framers sort_headers(const httplib::Headers& headers, AnswerHead& head) {
  Framers framers;
  std::string older_request_id;
  HttpResponse& response = head.response;
  for (const auto& [name, value] : headers) {
    const auto is = [&, &header = name](std::string_view word) { return same_word(header, word); };
    if (is("Content-Length")) {
      framers.note(framers.length, value);
    } else if (is("Transfer-Encoding")) {
      framers.note(framers.coding, value);
    } else if (is("Content-Encoding")) {
      framers.compressed = framers.compressed || !same_word(value, "identity");
    } else if (is("Connection")) {
      head.keeps_connection = head.keeps_connection && !lists(value, "close");
    } else if (is("x-amzn-ErrorType")) {
      response.error_type = printable(value);
    } else if (is("x-amzn-RequestId")) {
      response.request_id = printable(value);
    } else if (is("x-amz-request-id")) {
      older_request_id = printable(value);
    } else if (is("Retry-After")) {
      response.retry_after = printable(value);
    } else if (is("Date")) {
      response.date = printable(value);
    }
  }
  if (response.request_id.empty()) response.request_id = std::move(older_request_id);
  return framers;
}

}  // namespace

Result<AnswerHead, IoFailure> read_head(const httplib::Response& response,
                                        std::size_t max_body_bytes) {
  const int status = response.status;
  if (status < 200) return broken("interim answer " + std::to_string(status) + " as the final one");
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
    if (!same_word(*framers.coding, "chunked")) {
      return broken("a Transfer-Encoding other than chunked");
    }
    head.framing = Framing::chunked;
  } else if (framers.length != nullptr) {
    const auto length = number(*framers.length);
    if (!length) return broken("a Content-Length that is not a number");
    if (*length > max_body_bytes) {
      return Failure{IoFailure{Kind::too_large, "the answer has " + std::to_string(*length) +
                                                    " bytes, allowed are " +
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

}  // namespace jobs_bridge::https
