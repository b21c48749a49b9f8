#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobs_bridge::aws {

/// A request in the canonical form from which both sides compute the signature (AWS Signature
/// Version 4, "Create a canonical request").
struct CanonicalRequest {
  std::string text;
  /// The names of the headers that are signed, between semicolons.
  std::string signed_headers;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// How the path is treated.
enum class PathForm {
  normalized,  ///< dot segments and empty segments are taken out
  as_sent,     ///< they are kept
};

/// `target` is the request's target as it goes over the wire; each of its path's segments is
/// encoded once more, as every service except S3 requires. `headers` holds Host too; those that
/// proxies and transports change on the way (such as User-Agent) are not signed. `body_hash` is in
/// hexadecimal.
CanonicalRequest canonical_request(std::string_view method, std::string_view target,
                                   const HeaderList& headers, std::string_view body_hash,
                                   PathForm form = PathForm::normalized);

}  // namespace jobs_bridge::aws
