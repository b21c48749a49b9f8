#include "tests/integration/admin/admin_site.h"

#include <httplib.h>

#include <stdexcept>
#include <utility>

namespace jobs_bridge::testing_support {

AdminReply ask(std::uint16_t port, const std::string& path, const AdminHeaders& headers,
               const std::string& method) {
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(20);
  httplib::Request request;
  request.method = method;
  request.path = path;
  for (const auto& [name, value] : headers) request.headers.emplace(name, value);
  const auto result = client.send(request);
  if (!result) return {};
  AdminReply reply{.status = result->status, .headers = {}, .body = result->body};
  for (const auto& [name, value] : result->headers) reply.headers[name] = value;
  return reply;
}

AdminSite::AdminSite(admin::Status status, admin::ServerSettings settings)
    : status_(std::move(status)) {
  settings.snapshot_lasts = Duration::zero();
  auto server = admin::Server::start(
      std::move(settings), [this] { return status_; }, metrics_, log_);
  if (!server) throw std::runtime_error(server.error());
  server_ = std::move(server.value());
}

}  // namespace jobs_bridge::testing_support
