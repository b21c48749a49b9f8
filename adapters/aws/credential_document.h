#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/aws/credential_source.h"
#include "bridge/jobs/http.h"

namespace jobs_bridge::aws {

/// How the members of a document with credentials are called.
enum class DocumentForm {
  /// `AccessKeyId`, `SecretAccessKey`, `Token`, `Expiration`: containers and EC2 instances.
  instance,
  /// `credentials`: `accessKeyId`, `secretAccessKey`, `sessionToken`, `expiration`: the AWS IoT
  /// credential provider.
  iot,
};

/// The credentials in an answer. Their end is told by the answer's own Date, so that this machine's
/// clock has no part in it; `unix_now`, which stands in for a missing Date, is in seconds since
/// 1970. An error names `where` and the cause, and quotes nothing of the document but an error
/// message, without `secret`, which was sent along and may come back.
Result<Credentials, SourceFault> read_document(const HttpResponse& response, DocumentForm form,
                                               const std::string& where, MonotonicTime now,
                                               std::int64_t unix_now, std::string_view secret = {});

/// Credentials that end when `expiration` says, told as above, once they have been found usable.
Result<Credentials, SourceFault> with_end(Credentials credentials, const std::string& expiration,
                                          const HttpResponse& response, const std::string& where,
                                          MonotonicTime now, std::int64_t unix_now);

/// Somebody else's words, so that they may be logged: one line, not too long, without `secret`.
std::string tamed(std::string text, std::string_view secret = {});

/// `2018-01-18T09:18:06Z`, also with a fraction, or with an offset (`+01:00`, `-0330`) in place of
/// the Z; in seconds since 1970.
std::optional<std::int64_t> read_timestamp(std::string_view text);

}  // namespace jobs_bridge::aws
