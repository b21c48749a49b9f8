#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobs_endpoint {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A request as it was received. `target` is what stood in the request line, byte for byte, and
/// `headers` are in the order of arrival: a signature is computed over exactly these.
struct HttpRequest {
  std::string method;
  std::string target;
  Headers headers = {};
  std::string body = {};
  /// The common name in the client's certificate, which was verified; nothing: it showed none.
  std::optional<std::string> client_name = std::nullopt;
};

/// The value of the first header of that name, case-insensitive; empty if there is none.
[[nodiscard]] std::string_view find_header(const Headers& headers, std::string_view name);

/// Removes every header of that name, whatever its case.
void remove_header(Headers& headers, std::string_view name);

/// An answer before it is put on the wire. `headers` are in addition to Content-Length, Date and
/// Connection.
struct HttpAnswer {
  int status = 200;
  Headers headers = {};
  std::string body = {};
};

/// The bytes of an answer, all of them: what is sent in one write. `date` is an IMF-fixdate.
[[nodiscard]] std::string to_wire(const HttpAnswer& answer, std::string_view date, bool keep_alive);

/// "OK" for 200 and so on; "Unknown" for a status that has no name.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace jobs_endpoint
