#pragma once

#include <httplib.h>

#include <cstddef>
#include <string>

#include "adapters/https/connection.h"

namespace jobs_bridge::https {

/// What we need of an answer's status line and headers.
struct AnswerHead {
  /// How the body ends.
  enum class Framing { none, length, chunked, end_of_stream };
  Framing framing = Framing::none;
  std::size_t length = 0;  ///< with Framing::length
  bool keeps_connection = false;
  /// Status and headers; the body is still to come.
  HttpResponse response;
};

/// Takes the head of an answer apart. Refuses what cpp-httplib would make something of: an interim
/// answer as the final one, a length that is none as 0, the first of several lengths.
Result<AnswerHead, IoFailure> read_head(const httplib::Response& response,
                                        std::size_t max_body_bytes);

}  // namespace jobs_bridge::https
