#pragma once

#include <openssl/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace jobs_bridge::testing_support {

/// PEM files.
struct CertificateFiles {
  std::string certificate;
  std::string private_key;
};

struct CertificateContent {
  std::string common_name = {};
  std::vector<std::string> dns_names = {};
  std::vector<std::string> addresses = {};
  /// Relative to now.
  std::chrono::hours valid_from = std::chrono::hours(-1);
  std::chrono::hours valid_until = std::chrono::hours(24);
};

/// A certificate authority of the test's own, which writes what it makes into a directory.
/// Everything throws std::runtime_error when OpenSSL or the disk refuses.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(std::filesystem::path directory, const std::string& name = "ca");
  /// An intermediate one, which `signer` vouches for.
  CertificateAuthority(std::filesystem::path directory, const std::string& name,
                       const CertificateAuthority& signer);
  ~CertificateAuthority();

  [[nodiscard]] const std::string& certificate_file() const { return files_.certificate; }
  /// Writes `<name>.crt` and `<name>.key`, a P-256 key; good for servers and for clients.
  [[nodiscard]] CertificateFiles issue(const std::string& name,
                                       const CertificateContent& content) const;

 private:
  struct Identity;
  CertificateAuthority(std::filesystem::path directory, const std::string& name,
                       const Identity* signer);
  const std::filesystem::path directory_;
  std::unique_ptr<Identity> identity_;
  CertificateFiles files_;
};

/// Writes a copy of a private key that a passphrase protects.
void encrypt_private_key(const std::string& from, const std::string& to,
                         const std::string& passphrase);

}  // namespace jobs_bridge::testing_support
