#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/aws/credential_source.h"
#include "bridge/jobs/http.h"

namespace jobs_bridge::aws {

/// The names of the members in a document with credentials.
enum class DocumentForm {
  /// `AccessKeyId`, `SecretAccessKey`, `Token`, `Expiration`: containers and EC2 instances.
  instance,
  /// `credentials`: `accessKeyId`, `secretAccessKey`, `sessionToken`, `expiration`: the AWS IoT
  /// credential provider.
  iot,
};

/// The credentials in an answer. Their expiry is computed relative to the answer's own Date, so
/// that it does not depend on this machine's clock; `unix_now`, which stands in for a missing Date,
/// is in seconds since
/// 1970. An error names `where` and the cause, and quotes nothing of the document except an error
/// message, from which `secret` is removed: it was sent with the request and may be echoed.
Result<Credentials, SourceFault> read_document(const HttpResponse& response, DocumentForm form,
                                               const std::string& where, MonotonicTime now,
                                               std::int64_t unix_now, std::string_view secret = {});

/// The credentials with the expiry in `expiration`, computed as above, if they are usable.
Result<Credentials, SourceFault> with_end(Credentials credentials, const std::string& expiration,
                                          const HttpResponse& response, const std::string& where,
                                          MonotonicTime now, std::int64_t unix_now);

/// Foreign text made safe to log: one line, not too long, without `secret`.
std::string safe_to_log(std::string text, std::string_view secret = {});

/// `2018-01-18T09:18:06Z`, also with a fraction, or with an offset (`+01:00`, `-0330`) in place of
/// the Z; in seconds since 1970.
std::optional<std::int64_t> read_timestamp(std::string_view text);

}  // namespace jobs_bridge::aws
