#pragma once

#include <map>
#include <memory>
#include <string>

#include "adapters/admin/metrics.h"
#include "adapters/admin/server.h"
#include "tests/integration/admin/canned_status.h"
#include "tests/support/recording_log.h"

namespace jobs_bridge::testing_support {

struct AdminReply {
  int status = 0;  ///< 0: no answer
  std::map<std::string, std::string> headers;
  std::string body;
};

using AdminHeaders = std::multimap<std::string, std::string>;
AdminReply ask(std::uint16_t port, const std::string& path, const AdminHeaders& headers = {},
               const std::string& method = "GET");

/// A server on a free port that tells one canned status.
class AdminSite {
 public:
  /// Throws std::runtime_error if it cannot be started.
  explicit AdminSite(admin::Status status = healthy_status(), admin::ServerSettings settings = {});

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::string url() const { return server_->url(); }
  RecordingLog& log() { return log_; }
  admin::Metrics& metrics() { return metrics_; }
  [[nodiscard]] AdminReply get(const std::string& path, const AdminHeaders& headers = {}) const {
    return ask(port(), path, headers);
  }

 private:
  RecordingLog log_;
  admin::Metrics metrics_;
  admin::Status status_;
  std::unique_ptr<admin::Server> server_;
};

}  // namespace jobs_bridge::testing_support
