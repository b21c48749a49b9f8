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

/// The stream that cpp-httplib reads the answer to one request from. It sends the request that it
/// is given, in one write, and not what the library writes (in two, which cost a packet, a TLS
/// record and, with Nagle, 40 ms); reads the answer in large pieces (the library asks byte by byte)
/// keeps limits that the library does not know, refuses framing that it would guess at, and leaves
/// out what it could not stand: interim answers with headers, long reasons, trailers.
class AnswerStream final : public http_library::Stream {
 public:
  /// `request` is sent before the first is read. It must outlive the stream.
  AnswerStream(Connection& connection, const std::string& request, MonotonicTime deadline,
               std::size_t max_body_bytes);

  /// The head was read: from here on the limit is the body's.
  void begin_body(bool chunked);
  /// The end of the connection is the end of the body, not a failure.
  void let_end_of_stream_end_body() { end_of_stream_is_fine_ = true; }

  /// Why a read or write failed; the library itself says no more than "read".
  [[nodiscard]] const std::optional<IoFailure>& failure() const { return failure_; }
  [[nodiscard]] bool answer_began() const { return taken_ > 0; }
  /// Whether bytes were read that the answer did not need.
  [[nodiscard]] bool has_surplus() const { return begin_ != end_; }
  /// Whether the last that was taken is a blank line. A chunked body ends in one.
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
  /// How the head begins, with the status: what it says decides whether the library may see it.
  std::array<char, 12> start_{};
  std::size_t start_size_ = 0;
  std::size_t start_given_ = 0;
  std::size_t line_size_ = 0;  ///< of the present line, what the library has of it
  std::size_t headers_ = 0;
  std::optional<ChunkFraming> chunks_;
  std::uint32_t last_four_ = 0;
  std::size_t taken_ = 0;
  std::size_t limit_;  ///< for taken_: in turn that of the first line, the head and the body
  std::optional<IoFailure> failure_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  /// A TLS record's most. All streams of a thread share it: a fiber never waits, and so never lets
  /// another read, while there is something in it.
  using Buffer = std::array<char, 16 * 1024>;
  static thread_local Buffer buffer_;
};

}  // namespace jobs_bridge::https
