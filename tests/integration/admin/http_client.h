#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/admin/server.h"
#include "tests/integration/admin/canned_status.h"
#include "tests/support/recording_log.h"

namespace jobs_bridge::testing_support {

/// A TCP connection on which a test says exactly what it likes.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const std::string& host = "127.0.0.1");
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False: the other side has closed.
  bool send(std::string_view bytes) const;
  /// All that comes until the other side closes.
  [[nodiscard]] std::string read_to_end() const;
  /// The next answer, by its Content-Length; what is left when the other side closes.
  std::string read_answer();
  /// Whether the other side closes within the limit without saying more.
  [[nodiscard]] bool closes(std::chrono::milliseconds limit) const;

 private:
  int socket_ = -1;
  std::string unread_;
};

struct HttpReply {
  int status = 0;  ///< 0: no answer
  std::string head;
  std::string body;
  [[nodiscard]] bool has(std::string_view header_line) const {
    return head.find(header_line) != std::string::npos;
  }
};

HttpReply parse_reply(const std::string& text);
/// `headers`: lines with their CRLF.
HttpReply get(std::uint16_t port, const std::string& path, const std::string& headers = {},
              const std::string& method = "GET");

/// A server on a free port that tells one canned status, which may be exchanged.
class AdminSite {
 public:
  explicit AdminSite(admin::Status status = healthy_status(), admin::ServerSettings settings = {});

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::string url() const { return server_->url(); }
  admin::Server& server() { return *server_; }
  RecordingLog& log() { return log_; }

 private:
  RecordingLog log_;
  admin::Metrics metrics_;
  admin::Status status_;
  std::unique_ptr<admin::Server> server_;
};

}  // namespace jobs_bridge::testing_support
