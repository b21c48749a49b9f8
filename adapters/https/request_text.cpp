#include "adapters/https/request_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "bridge/text/ascii.h"

namespace jobs_bridge::https {
namespace {

/// Which bytes a token may hold (RFC 9110, 5.6.2).
constexpr std::array<bool, 256> kTokenBytes = [] {
  std::array<bool, 256> allowed{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    allowed[static_cast<unsigned char>(c)] = true;
  }
  return allowed;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kTokenBytes[static_cast<unsigned char>(c)];
  });
}

bool is_target(std::string_view text) {
  return text.starts_with('/') && is_visible(text);
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return !is_control(c) || c == '\t'; });
}

/// Headers that the transport sets itself; a second one would contradict it.
bool is_transports_own(const std::string& name) {
  constexpr std::string_view kNames[] = {"host", "content-length", "connection",
                                         "transfer-encoding"};
  return std::ranges::any_of(kNames,
                             [&](std::string_view own) { return equal_ignoring_case(own, name); });
}

}  // namespace

std::optional<std::string> refusal_of(const HttpRequest& request) {
  if (!is_token(request.method)) return "the method is not a valid token";
  if (!is_target(request.target)) {
    return "the target does not begin with a slash or contains a space, a control character or a "
           "character beyond ASCII";
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return "a header has an invalid name";
    if (!is_field_value(value)) return "the header " + name + " contains a control character";
    if (is_transports_own(name)) return "the header " + name + " is set by the transport itself";
  }
  return std::nullopt;
}

namespace {

constexpr std::string_view kUserAgent = "User-Agent: jobs-bridge/" JOBS_BRIDGE_VERSION "\r\n";

bool has_content_type(const HttpRequest& request) {
  return std::ranges::any_of(request.headers, [](const auto& header) {
    return equal_ignoring_case(header.first, "Content-Type");
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
