#include "tests/support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace jobs_bridge::testing_support {
namespace {

template <auto release>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

void require(bool good, const char* what) {
  if (good) return;
  throw std::runtime_error(std::string(what) + ": " + ERR_error_string(ERR_get_error(), nullptr));
}

Key new_key() {
  // EVP_EC_gen is a macro with a C cast in it.
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  require(key != nullptr, "make a key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// An unsigned certificate; `issuer` null: its own issuer.
Certificate new_certificate(EVP_PKEY* key, const CertificateContent& content, X509* issuer) {
  static std::atomic<long> serial{1};
  Certificate certificate(X509_new());
  require(certificate != nullptr, "make a certificate");
  X509* const raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), serial++);
  X509_gmtime_adj(X509_getm_notBefore(raw), std::chrono::seconds(content.valid_from).count());
  X509_gmtime_adj(X509_getm_notAfter(raw), std::chrono::seconds(content.valid_until).count());
  X509_set_pubkey(raw, key);
  if (!content.common_name.empty()) {
    const auto* const name = reinterpret_cast<const unsigned char*>(content.common_name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_UTF8, name, -1, -1, 0);
  }
  X509_set_issuer_name(raw, X509_get_subject_name(issuer != nullptr ? issuer : raw));
  return certificate;
}

void sign(X509* certificate, EVP_PKEY* key) {
  require(X509_sign(certificate, key, EVP_sha256()) != 0, "sign a certificate");
}

Bio open_file(const std::string& path, const char* mode) {
  Bio bio(BIO_new_file(path.c_str(), mode));
  require(bio != nullptr, path.c_str());
  return bio;
}

CertificateFiles write(const std::filesystem::path& directory, const std::string& name,
                       X509* certificate, EVP_PKEY* key) {
  CertificateFiles files{(directory / (name + ".crt")).string(),
                         (directory / (name + ".key")).string()};
  require(PEM_write_bio_X509(open_file(files.certificate, "w").get(), certificate) == 1,
          "write a certificate");
  require(PEM_write_bio_PrivateKey(open_file(files.private_key, "w").get(), key, nullptr, nullptr,
                                   0, nullptr, nullptr) == 1,
          "write a key");
  return files;
}

std::string alternative_names(const CertificateContent& content) {
  std::string names;
  const auto add = [&](const char* type, const std::string& name) {
    names += (names.empty() ? "" : ",") + std::string(type) + name;
  };
  for (const std::string& name : content.dns_names) add("DNS:", name);
  for (const std::string& address : content.addresses) add("IP:", address);
  return names;
}

}  // namespace

struct CertificateAuthority::Identity {
  Key key;
  Certificate certificate;
};

CertificateAuthority::CertificateAuthority(std::filesystem::path directory, const std::string& name)
    : CertificateAuthority(std::move(directory), name, nullptr) {}

CertificateAuthority::CertificateAuthority(std::filesystem::path directory, const std::string& name,
                                           const CertificateAuthority& signer)
    : CertificateAuthority(std::move(directory), name, signer.identity_.get()) {}

CertificateAuthority::CertificateAuthority(std::filesystem::path directory, const std::string& name,
                                           const Identity* signer)
    : directory_(std::move(directory)), identity_(std::make_unique<Identity>()) {
  identity_->key = new_key();
  identity_->certificate =
      new_certificate(identity_->key.get(), {.common_name = "Test authority " + name},
                      signer != nullptr ? signer->certificate.get() : nullptr);
  X509* const raw = identity_->certificate.get();
  X509* const issuer = signer != nullptr ? signer->certificate.get() : raw;
  add_extension(raw, issuer, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(raw, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  sign(raw, signer != nullptr ? signer->key.get() : identity_->key.get());
  files_ = write(directory_, name, raw, identity_->key.get());
}

CertificateAuthority::~CertificateAuthority() = default;

CertificateFiles CertificateAuthority::issue(const std::string& name,
                                             const CertificateContent& content) const {
  const Key key = new_key();
  X509* const issuer = identity_->certificate.get();
  const Certificate certificate = new_certificate(key.get(), content, issuer);
  add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  if (const std::string names = alternative_names(content); !names.empty()) {
    add_extension(certificate.get(), issuer, NID_subject_alt_name, names);
  }
  sign(certificate.get(), identity_->key.get());
  return write(directory_, name, certificate.get(), key.get());
}

void encrypt_private_key(const std::string& from, const std::string& to,
                         const std::string& passphrase) {
  const Key key(PEM_read_bio_PrivateKey(open_file(from, "r").get(), nullptr, nullptr, nullptr));
  require(key != nullptr, from.c_str());
  const auto* const secret = reinterpret_cast<const unsigned char*>(passphrase.data());
  require(PEM_write_bio_PrivateKey(open_file(to, "w").get(), key.get(), EVP_aes_256_cbc(), secret,
                                   static_cast<int>(passphrase.size()), nullptr, nullptr) == 1,
          to.c_str());
}

}  // namespace jobs_bridge::testing_support
