#include "tests/endpoint/http.h"

#include <algorithm>
#include <map>

namespace jobs_endpoint {
namespace {

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                              : character;
}

bool same_name(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return lower(one) == lower(other); });
}

}  // namespace

std::string_view find_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

void remove_header(Headers& headers, std::string_view name) {
  std::erase_if(headers, [name](const auto& header) { return same_name(header.first, name); });
}

std::string_view reason_phrase(int status) {
  static const std::map<int, std::string_view> phrases = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {307, "Temporary Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {413, "Payload Too Large"},
      {415, "Unsupported Media Type"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  const auto found = phrases.find(status);
  return found == phrases.end() ? "Unknown" : found->second;
}

std::string to_wire(const HttpAnswer& answer, std::string_view date, bool keep_alive) {
  std::string bytes;
  bytes.reserve(answer.body.size() + 320);
  bytes.append("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ");
  bytes.append(reason_phrase(answer.status)).append("\r\n");
  for (const auto& [name, value] : answer.headers) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  }
  // A header that the answer brings itself (a fault may) is not written twice.
  if (find_header(answer.headers, "Date").empty()) {
    bytes.append("Date: ").append(date).append("\r\n");
  }
  const bool has_body = answer.status >= 200 && answer.status != 204 && answer.status != 304;
  if (has_body && find_header(answer.headers, "Content-Length").empty() &&
      find_header(answer.headers, "Transfer-Encoding").empty()) {
    bytes.append("Content-Length: ").append(std::to_string(answer.body.size())).append("\r\n");
  }
  if (find_header(answer.headers, "Connection").empty()) {
    bytes.append("Connection: ").append(keep_alive ? "keep-alive" : "close").append("\r\n");
  }
  bytes.append("\r\n");
  if (has_body) bytes.append(answer.body);
  return bytes;
}

}  // namespace jobs_endpoint
