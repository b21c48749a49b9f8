#pragma once

#include <openssl/types.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

/// SHA-256 and its HMAC. The algorithms are fetched from OpenSSL once per process: fetching them
/// takes longer than the digest of a Jobs request.
namespace jobs_bridge::aws {

using Sha256 = std::array<unsigned char, 32>;

/// Lower-case hexadecimal.
std::string hex(const Sha256& digest);

/// Computes digests, one after another. Used by one thread at a time. Throws std::runtime_error if
/// OpenSSL has no SHA-256 or no memory.
class Digester {
 public:
  Digester();
  Sha256 sha256(std::string_view text);
  Sha256 hmac(std::string_view key, std::string_view text);

 private:
  struct DigestDeleter {
    void operator()(EVP_MD_CTX* context) const;
  };
  struct MacDeleter {
    void operator()(EVP_MAC_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, DigestDeleter> digest_;
  std::unique_ptr<EVP_MAC_CTX, MacDeleter> mac_;
};

/// A digest as the bytes of a key.
inline std::string_view as_key(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace jobs_bridge::aws
