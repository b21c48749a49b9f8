#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "adapters/httplib/library.h"
#include "adapters/https/chunk_framing.h"
#include "adapters/https/tcp_connection.h"

namespace jobs_bridge::https {

/// The parts of an answer's status line and headers that we need.
struct AnswerHead {
  /// How the body ends.
  enum class Framing { none, length, chunked, end_of_stream };
  Framing framing = Framing::none;
  std::size_t length = 0;  ///< with Framing::length
  bool keeps_connection = false;
  /// Status and headers; the body is still to come.
  HttpResponse response;
};

/// Parses the head of an answer. Refuses what cpp-httplib would misinterpret: an interim answer (as
/// the final one), an invalid length (as 0), several lengths (as the first of them).
Result<AnswerHead, IoFailure> read_head(const httplib::Response& response,
                                        std::size_t max_body_bytes);

/// The stream that cpp-httplib reads the answer to one request from. It sends the request that it
/// is given, in one write, and not what the library writes (in two, which cost a packet, a TLS
/// record and, with Nagle, 40 ms); reads the answer in large pieces (the library asks byte by
/// byte), enforces limits that the library does not have, refuses ambiguous framing, and removes
/// what the library cannot handle: interim answers with headers, long reason phrases, trailers.
class AnswerStream final : public http_library::Stream {
 public:
  /// `request` is sent before the first read. It must outlive the stream.
  AnswerStream(Connection& connection, const std::string& request, MonotonicTime deadline,
               std::size_t max_body_bytes);

  /// The head was read: from here on the limit is the body's.
  void begin_body(bool chunked);
  /// The end of the connection is the end of the body, not a failure.
  void let_end_of_stream_end_body() { end_of_stream_is_fine_ = true; }

  /// Why a read or write failed; the library itself reports no more than "read".
  [[nodiscard]] const std::optional<IoFailure>& failure() const { return failure_; }
  [[nodiscard]] bool answer_began() const { return taken_ > 0; }
  /// Whether bytes were read that the answer did not need.
  [[nodiscard]] bool has_surplus() const { return begin_ != end_; }
  /// Whether the last bytes taken are a blank line. A chunked body ends with one.
  [[nodiscard]] bool ended_in_blank_line() const { return last_four_ == 0x0d0a0d0a; }

  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char*, size_t size) override { return static_cast<ssize_t>(size); }

 private:
  bool more();
  std::optional<char> next();
  bool begin_head();
  bool skip_head();
  bool skip_reason();
  bool skip_trailers();
  void take(char byte);
  void end_line();
  ssize_t fail_at_limit();

  Connection& connection_;
  const std::string& request_;
  const MonotonicTime deadline_;
  const std::size_t max_body_wire_bytes_;
  bool request_sent_ = false;
  bool in_status_line_ = true;
  bool in_body_ = false;
  bool end_of_stream_is_fine_ = false;
  bool end_of_stream_ = false;
  /// The beginning of the head with the status, which decides whether the library may see it.
  std::array<char, 12> start_{};
  std::size_t start_size_ = 0;
  std::size_t start_given_ = 0;
  std::size_t line_size_ = 0;  ///< bytes of the present line that the library has read
  std::size_t headers_ = 0;
  std::optional<ChunkFraming> chunks_;
  std::uint32_t last_four_ = 0;
  std::size_t taken_ = 0;
  std::size_t
      limit_;  ///< for taken_: first that of the status line, then of the head, then of the body
  std::optional<IoFailure> failure_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  /// The maximum size of a TLS record. All streams of a thread share it: a fiber never waits, and
  /// so never lets another fiber read, while there is something in it.
  using Buffer = std::array<char, 16 * 1024>;
  static thread_local Buffer buffer_;
};

}  // namespace jobs_bridge::https
