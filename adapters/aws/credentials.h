#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge::aws {

/// The credentials that requests are signed with. Everything except the access key id is secret:
/// never log it.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< empty: long-lived credentials

  /// When they expire, by the issuer's clock, in seconds since 1970; absent: never.
  std::optional<std::int64_t> expiration;
  /// The same on the monotonic clock, which decides: a gateway's wall clock may be years off at
  /// boot.
  std::optional<MonotonicTime> expires;

  [[nodiscard]] bool expired(MonotonicTime now) const { return expires && now >= *expires; }
  /// Whether these have the same keys as `other`.
  [[nodiscard]] bool same_keys(const Credentials& other) const {
    return access_key_id == other.access_key_id && secret_access_key == other.secret_access_key &&
           session_token == other.session_token;
  }
};

/// Shared by the requests that are being signed while newer ones come in.
using CredentialsPointer = std::shared_ptr<const Credentials>;

}  // namespace jobs_bridge::aws
