#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tests/endpoint/instant.h"
#include "tests/endpoint/service_error.h"

namespace jobs_endpoint {

/// A secret that requests may be signed with.
struct SigningKey {
  std::string access_key_id = {};
  std::string secret = {};
  std::string token = {};  ///< empty: a long-lived key
  std::optional<Instant> expires = std::nullopt;
  bool revoked = false;
};

/// The keys that the emulator knows: those it was started with, and those it has issued as the AWS
/// IoT credential provider does. One thread at a time.
class KeyRing {
 public:
  void add(SigningKey key);
  /// Null: unknown.
  [[nodiscard]] const SigningKey* find(std::string_view access_key_id) const;
  /// A new one, of random characters.
  const SigningKey& issue(Instant now, std::chrono::seconds lifetime);
  /// The endpoint takes that key no more; "all": none of those it has.
  void revoke(std::string_view access_key_id);
  [[nodiscard]] bool empty() const { return keys_.empty(); }

 private:
  std::map<std::string, SigningKey, std::less<>> keys_;
};

/// `ACCESS_KEY:SECRET[:TOKEN]`; nothing for any other text.
[[nodiscard]] std::optional<SigningKey> parse_key(std::string_view text);

/// What the credential provider answers (AWS IoT developer guide, "Authorizing direct calls").
[[nodiscard]] Json credentials_shape(const SigningKey& key);

}  // namespace jobs_endpoint
