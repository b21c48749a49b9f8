#include "adapters/aws/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdexcept>

#include "bridge/text/hex.h"

namespace jobs_bridge::aws {
namespace {

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

/// Both live as long as the process.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return algorithm;
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void Digester::DigestDeleter::operator()(EVP_MD_CTX* context) const {
  EVP_MD_CTX_free(context);
}

void Digester::MacDeleter::operator()(EVP_MAC_CTX* context) const {
  EVP_MAC_CTX_free(context);
}

Digester::Digester() : digest_(EVP_MD_CTX_new()), mac_(EVP_MAC_CTX_new(hmac_algorithm())) {
  require(digest_ && mac_ && sha256_algorithm() != nullptr);
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  require(EVP_MAC_CTX_set_params(mac_.get(), parameters) == 1);
}

Sha256 Digester::sha256(std::string_view text) {
  Sha256 digest;
  unsigned int size = 0;
  require(EVP_DigestInit_ex2(digest_.get(), sha256_algorithm(), nullptr) == 1 &&
          EVP_DigestUpdate(digest_.get(), text.data(), text.size()) == 1 &&
          EVP_DigestFinal_ex(digest_.get(), digest.data(), &size) == 1 && size == digest.size());
  return digest;
}

Sha256 Digester::hmac(std::string_view key, std::string_view text) {
  Sha256 digest;
  std::size_t size = 0;
  require(EVP_MAC_init(mac_.get(), bytes(key), key.size(), nullptr) == 1 &&
          EVP_MAC_update(mac_.get(), bytes(text), text.size()) == 1 &&
          EVP_MAC_final(mac_.get(), digest.data(), &size, digest.size()) == 1 &&
          size == digest.size());
  return digest;
}

std::string hex(const Sha256& digest) {
  std::string text;
  text.reserve(2 * digest.size());
  for (const char c : as_key(digest)) append_hex(text, c);
  return text;
}

}  // namespace jobs_bridge::aws
