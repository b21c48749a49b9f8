#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace jobs_bridge::tls {

/// Why a certificate and its private key cannot be used.
struct IdentityFault {
  enum class Kind {
    incomplete,  ///< one is set without the other
    unreadable,  ///< the file cannot be read
    invalid,     ///< it is not a valid PEM file of the expected kind
    encrypted,   ///< the key needs a passphrase, which we do not ask for
    mismatch,    ///< the key belongs to another certificate
  };
  Kind kind = Kind::invalid;
  std::string text;  ///< names the setting, without its section, the file and the cause
};

/// What an operator can do about an encrypted private key.
inline constexpr const char* encrypted_key_hint =
    "decrypt it (openssl pkey -in ENCRYPTED -out KEY), and let only the bridge's user read the "
    "file";

/// Loads our certificate chain and private key, both PEM. If both paths are empty, there is none.
/// Never prompts at the terminal.
std::optional<IdentityFault> load_identity(SSL_CTX& context, const std::string& certificate_file,
                                           const std::string& private_key_file);

/// Why a file cannot be read, or that it is empty, after `setting` and its path: OpenSSL's messages
/// do not help there.
std::optional<std::string> unreadable(const std::string& setting, const std::string& path);

/// The text of the oldest error in OpenSSL's queue for this thread; clears the queue. Later errors
/// are consequences of it. `otherwise`: the text if there is none.
std::string take_error(const char* otherwise = "no cause given");

}  // namespace jobs_bridge::tls
