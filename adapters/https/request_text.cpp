#include "adapters/https/request_text.h"

#include <strings.h>

#include <algorithm>
#include <string_view>

namespace jobs_bridge::https {
namespace {

constexpr std::string_view kUserAgent = "User-Agent: jobs-bridge/" JOBS_BRIDGE_VERSION "\r\n";

bool has_content_type(const HttpRequest& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
    return strcasecmp(header.first.c_str(), "Content-Type") == 0;
  });
}

}  // namespace

RequestText::RequestText(const std::string& host_header)
    : same_in_all_(" HTTP/1.1\r\nHost: " + host_header + "\r\n" + std::string(kUserAgent)) {}

void RequestText::write(std::string& wire, const HttpRequest& request) const {
  wire.assign(request.method).append(" ").append(request.target).append(same_in_all_);
  for (const auto& [name, value] : request.headers) {
    wire.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body.empty()) {
    // What a body without a type counts as anyway (RFC 9110, 8.3).
    if (!has_content_type(request)) wire += "Content-Type: application/octet-stream\r\n";
    wire.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  } else if (request.method != "GET" && request.method != "HEAD") {
    // Methods that come with a body elsewhere say that there is none (RFC 9110, 8.6).
    wire += "Content-Length: 0\r\n";
  }
  wire.append("\r\n").append(request.body);
}

std::string RequestText::tunnel(const std::string& target, const std::string& authorization) {
  std::string text = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  text += kUserAgent;
  if (!authorization.empty()) text += "Proxy-Authorization: " + authorization + "\r\n";
  return text + "\r\n";
}

}  // namespace jobs_bridge::https
