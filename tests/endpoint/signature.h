#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "tests/endpoint/credentials.h"
#include "tests/endpoint/http.h"
#include "tests/endpoint/instant.h"

namespace jobs_endpoint {

/// What a signature has to be for.
struct SignatureScope {
  std::string_view service;             ///< `iot-jobs-data`, `iot`
  std::string_view other_service = {};  ///< that will do as well; empty: none
  std::string_view region = {};         ///< empty: any
  std::chrono::seconds max_skew{300};
};

/// Checks the AWS Signature Version 4 of a request, over its target as it was received. Throws the
/// ServiceError with which AWS turns the request away. (AWS general reference, "Signing AWS API
/// requests".)
void require_signature(const HttpRequest& request, const KeyRing& keys, const SignatureScope& scope,
                       Instant now);

/// The access key id that a request says it is signed with; empty: none.
[[nodiscard]] std::string claimed_key(const HttpRequest& request);

}  // namespace jobs_endpoint
