#include "adapters/tls/identity.h"

#include <openssl/err.h>
#include <openssl/x509err.h>

#include <cerrno>
#include <cstdio>

#include "adapters/files/system_text.h"

namespace jobs_bridge::tls {
namespace {

using Fault = IdentityFault::Kind;

/// Replaces OpenSSL's own callback, which would prompt at the terminal. A call is the only reliable
/// sign of an encrypted key: OpenSSL's error depends on the key's format and on its version.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

bool is_mismatch(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_X509 &&
         (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
          ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
}

IdentityFault fault_of_key(const std::string& certificate_file, const std::string& key_file,
                           bool encrypted) {
  const auto setting = "private_key_file " + key_file;
  if (encrypted) {
    ERR_clear_error();
    return {Fault::encrypted, setting + ": the key is encrypted, which is not supported"};
  }
  const auto error = ERR_peek_error();
  if (error == 0 || is_mismatch(error)) {
    ERR_clear_error();
    return {Fault::mismatch,
            setting + ": the key does not belong to certificate_file " + certificate_file};
  }
  return {Fault::invalid, setting + ": not a PEM private key (" + take_error() + ")"};
}

}  // namespace

std::optional<IdentityFault> load_identity(SSL_CTX& context, const std::string& certificate_file,
                                           const std::string& private_key_file) {
  if (certificate_file.empty() && private_key_file.empty()) return std::nullopt;
  if (private_key_file.empty()) {
    return IdentityFault{Fault::incomplete, "certificate_file is set, but private_key_file is not"};
  }
  if (certificate_file.empty()) {
    return IdentityFault{Fault::incomplete, "private_key_file is set, but certificate_file is not"};
  }
  if (auto fault = unreadable("certificate_file", certificate_file)) {
    return IdentityFault{Fault::unreadable, *std::move(fault)};
  }
  if (auto fault = unreadable("private_key_file", private_key_file)) {
    return IdentityFault{Fault::unreadable, *std::move(fault)};
  }
  ERR_clear_error();
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(&context, refuse_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(&context, &asked);
  std::optional<IdentityFault> fault;
  if (SSL_CTX_use_certificate_chain_file(&context, certificate_file.c_str()) != 1) {
    fault = IdentityFault{Fault::invalid, "certificate_file " + certificate_file +
                                              ": not a PEM certificate (" + take_error() + ")"};
  } else if (SSL_CTX_use_PrivateKey_file(&context, private_key_file.c_str(), SSL_FILETYPE_PEM) !=
                 1 ||
             SSL_CTX_check_private_key(&context) != 1) {
    fault = fault_of_key(certificate_file, private_key_file, asked);
  }
  SSL_CTX_set_default_passwd_cb_userdata(&context, nullptr);
  SSL_CTX_set_default_passwd_cb(&context, nullptr);
  return fault;
}

std::optional<std::string> unreadable(const std::string& setting, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return setting + " " + path + ": " + files::system_text(errno);
  // A directory opens and does not read.
  const int first = std::fgetc(file);
  const int error = first == EOF && std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (error != 0) return setting + " " + path + ": " + files::system_text(error);
  if (first == EOF) return setting + " " + path + ": the file is empty";
  return std::nullopt;
}

std::string take_error(const char* otherwise) {
  const auto error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return otherwise;
  if (const char* reason = ERR_reason_error_string(error)) return reason;
  if (ERR_SYSTEM_ERROR(error)) return files::system_text(ERR_GET_REASON(error));
  return "OpenSSL error " + std::to_string(error);
}

}  // namespace jobs_bridge::tls
