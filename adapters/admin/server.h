#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adapters/admin/metrics.h"
#include "adapters/admin/server_settings.h"
#include "adapters/admin/status.h"
#include "bridge/ports/log.h"
#include "bridge/result.h"

namespace jobs_bridge::admin {

/// The admin listener, over HTTP/1.1:
///
/// | path          | answer                                                                     |
/// | ------------- | -------------------------------------------------------------------------- |
/// | `/healthz`    | 200 as long as a status can be had at all                                  |
/// | `/readyz`     | 200 or 503, and why: JSON, or text if `Accept` prefers text/plain          |
/// | `/metrics`    | Prometheus' text format                                                    |
/// | `/api/status` | the Status as JSON                                                         |
/// | `/`           | a page for a person; it holds no data itself                               |
///
/// A few threads of its own serve one request after another, each on a connection of its own; a
/// client that sends nothing is cut off after two seconds. If a token is set, everything except
/// `/healthz` and the empty page requires it.
class Server {
 public:
  /// Starts to serve. The error names host and port and the cause, such as an address in use.
  /// `metrics` and `log`, and what `snapshot` uses, must outlive the server.
  static Result<std::unique_ptr<Server>, std::string> start(ServerSettings settings,
                                                            Snapshot snapshot,
                                                            const Metrics& metrics, Log& log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  [[nodiscard]] std::uint16_t port() const;
  /// For display: `http://127.0.0.1:9464/`.
  [[nodiscard]] std::string url() const;

 private:
  class Implementation;
  explicit Server(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jobs_bridge::admin
