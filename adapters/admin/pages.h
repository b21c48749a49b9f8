#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/admin/metrics.h"
#include "adapters/admin/status.h"
#include "bridge/time.h"

namespace jobs_bridge::admin {

/// The parts of a request that matter here.
struct PageRequest {
  std::string method;
  std::string path;                ///< decoded, without the query
  std::vector<std::string> hosts;  ///< the Host headers
  std::string authorization;
  std::string accept;
};

struct PageAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// Answers requests: paths, methods and access control. Any thread may call it.
class Pages {
 public:
  struct Rules {
    std::string token;     ///< empty: no token is required
    bool loopback = true;  ///< requests must name a loopback host
    Duration snapshot_lasts{};
  };
  Pages(Rules rules, Snapshot snapshot, const Metrics& metrics);

  /// Throws whatever the snapshot throws.
  PageAnswer answer(const PageRequest& request);

 private:
  using StatusPointer = std::shared_ptr<const Status>;
  [[nodiscard]] std::optional<PageAnswer> refusal(const PageRequest& request) const;
  PageAnswer page(const PageRequest& request);
  PageAnswer ready(const PageRequest& request);
  StatusPointer status();

  const Rules rules_;
  const Snapshot snapshot_;
  const Metrics& metrics_;
  std::mutex mutex_;
  StatusPointer status_;
  MonotonicTime taken_{};
};

/// The dashboard page: dashboard.html, in which `{{nonce}}` stands for the nonce of its Content
/// Security Policy. It contains no data; its script fetches them from /api/status.
const std::string& dashboard_page();

}  // namespace jobs_bridge::admin
