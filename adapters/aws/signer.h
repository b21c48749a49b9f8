#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/aws/canonical_request.h"
#include "adapters/aws/credentials.h"
#include "adapters/aws/digest.h"
#include "bridge/jobs/http.h"

namespace jobs_bridge::aws {

/// Signs requests by AWS Signature Version 4, in headers. It keeps the key that is derived from the
/// secret for a day, so a signature costs two digests and one HMAC. Used by one thread at a time;
/// throws std::runtime_error when OpenSSL fails.
class Signer {
 public:
  /// The signing name of the Jobs data plane (API model iot-jobs-data, "signingName").
  static constexpr std::string_view jobs_service = "iot-jobs-data";

  explicit Signer(std::string region, std::string service = std::string(jobs_service));

  /// The request with the signature headers added and otherwise unchanged. `host` is the value that
  /// the Host header will have. `time` is in seconds since 1970 UTC.
  HttpRequest sign(HttpRequest request, const std::string& host, const Credentials& credentials,
                   std::int64_t time, PathForm form = PathForm::normalized);

 private:
  const Sha256& day_key(const Credentials& credentials, std::string_view day);

  const std::string region_;
  const std::string service_;
  Digester digester_;
  std::string key_day_;
  std::string key_secret_;
  Sha256 key_{};
};

/// `20150830T123600Z`
std::string signing_time(std::int64_t seconds_since_1970);

}  // namespace jobs_bridge::aws
