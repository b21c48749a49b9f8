#include "adapters/admin/status_client.h"

#include <httplib.h>

#include <chrono>

namespace jobs_bridge::admin {
namespace {

constexpr std::chrono::seconds patience{5};

}  // namespace

Result<std::string, std::string> fetch_status(const std::string& url, const std::string& token) {
  auto base = url;
  while (base.ends_with('/')) base.pop_back();
  if (!base.starts_with("http://") || base.find('/', std::string("http://").size()) != base.npos) {
    return Failure{url + " is not http://host:port"};
  }
  httplib::Client client(base);
  if (!client.is_valid()) return Failure{url + " is not http://host:port"};
  client.set_connection_timeout(patience);
  client.set_read_timeout(patience);
  // What answers there may be anything: it is not asked for, nor given, a decompressor's work.
  client.set_decompress(false);
  httplib::Headers headers{{"Accept-Encoding", "identity"}};
  if (!token.empty()) headers.emplace("Authorization", "Bearer " + token);
  const auto reply = client.Get("/api/status", headers);
  if (!reply) {
    return Failure{"no bridge answers at " + url + " (" + httplib::to_string(reply.error()) +
                   "): see whether it runs, and what its admin.listen is"};
  }
  if (reply->status == 401) {
    return Failure{
        "the bridge at " + url +
        (token.empty() ? " asks for its token: --token-file FILE" : " does not take this token")};
  }
  if (reply->status != 200) {
    return Failure{"the bridge at " + url + " answered HTTP " + std::to_string(reply->status) +
                   ": " + reply->body.substr(0, 200)};
  }
  return reply->body;
}

}  // namespace jobs_bridge::admin
