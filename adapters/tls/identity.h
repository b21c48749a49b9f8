#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace jobs_bridge::tls {

/// Why a certificate and its private key cannot be used.
struct IdentityFault {
  enum class Kind {
    incomplete,  ///< one is set without the other
    unreadable,  ///< the system does not let us read the file
    invalid,     ///< it is not what it should be, in PEM
    encrypted,   ///< the key takes a passphrase, which nobody is asked for
    mismatch,    ///< the key is that of another certificate
  };
  Kind kind = Kind::invalid;
  std::string text;  ///< names the setting, without its section, the file and the cause
};

/// What an operator can do about an encrypted private key.
inline constexpr const char* encrypted_key_hint =
    "decrypt it (openssl pkey -in ENCRYPTED -out KEY), and let only the bridge's user read the "
    "file";

/// Loads the certificate chain and the private key that we show, both PEM. Both paths empty: there
/// is none to show. Never asks at the terminal.
std::optional<IdentityFault> load_identity(SSL_CTX& context, const std::string& certificate_file,
                                           const std::string& private_key_file);

/// Why a file cannot be read, or that it is empty, behind `setting` and its path: OpenSSL's words
/// are of no use there.
std::optional<std::string> unreadable(const std::string& setting, const std::string& path);

/// The oldest error that OpenSSL has noted for this thread, in words; clears its notes. What it
/// notes after it are consequences. `otherwise`: if it has noted none.
std::string take_error(const char* otherwise = "no cause given");

}  // namespace jobs_bridge::tls
