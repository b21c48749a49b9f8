#include "adapters/https/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "adapters/https/literal_address.h"
#include "adapters/tls/handshake.h"
#include "adapters/tls/identity.h"

namespace jobs_bridge::https {
namespace {

std::string setting_or(const char* variable, const char* otherwise) {
  const char* const value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

}  // namespace

std::string system_authorities_file() {
  return setting_or(X509_get_default_cert_file_env(), X509_get_default_cert_file());
}

namespace {

/// OpenSSL takes no notice when there are none, and then every peer is refused as unknown.
bool system_has_authorities() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path file = system_authorities_file();
  const fs::path folder = setting_or(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  return fs::exists(file, ignored) ||
         fs::directory_iterator(folder, ignored) != fs::directory_iterator();
}

std::optional<std::string> load_authorities(SSL_CTX* context, const std::string& path, Log& log) {
  if (path.empty()) {
    if (!system_has_authorities()) {
      log.write(Severity::warning,
                "this system has no certificate authorities, so no endpoint will be trusted: "
                "install ca-certificates or set ca_file");
    }
    if (SSL_CTX_set_default_verify_paths(context) == 1) return std::nullopt;
    return "the system's certificate authorities: " + tls::take_error();
  }
  if (auto fault = tls::unreadable("ca_file", path)) return fault;
  if (SSL_CTX_load_verify_file(context, path.c_str()) == 1) {
    // Who names an authority trusts it, be it one that another has signed.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    return std::nullopt;
  }
  return "ca_file " + path + ": not a PEM file with certificates (" + tls::take_error() + ")";
}

bool require_host(SSL_CTX* context, const std::string& host, bool is_address) {
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1
                    : X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) == 1;
}

}  // namespace

Result<std::unique_ptr<TlsContext>, std::string> TlsContext::load(const TlsSettings& settings,
                                                                  Log& log) {
  ERR_clear_error();
  ContextPointer context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Failure{"TLS: " + tls::take_error()};
  SSL_CTX* const raw = context.get();

  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  // One read for a record's header and body together; and an idle connection, of which there may be
  // a thousand, does not sit on 32 KiB of buffers.
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);

  std::string name = settings.host;
  const bool is_address = is_literal_address(name);
  // A name may end in a dot to say that it is complete; certificates' names do not.
  if (!is_address && name.ends_with('.')) name.pop_back();
  if (!require_host(raw, name, is_address)) {
    return Failure{"host " + settings.host + ": not a name that a certificate can be for"};
  }
  if (auto fault = load_authorities(raw, settings.ca_file, log)) return Failure{*std::move(fault)};
  if (auto fault = tls::load_identity(*raw, settings.certificate_file, settings.private_key_file)) {
    const bool encrypted = fault->kind == tls::IdentityFault::Kind::encrypted;
    return Failure{std::move(fault->text) +
                   (encrypted ? std::string(": ") + tls::encrypted_key_hint : "")};
  }
  tls::note_certificate_requests(*raw);
  auto memory = std::make_unique<TlsSessionMemory>();
  memory->attach(raw);
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(memory), std::move(context),
                                                    is_address ? std::string() : std::move(name)));
}

SslPointer TlsContext::session() const {
  SslPointer ssl(SSL_new(context_.get()));
  if (!ssl || server_name_.empty()) return ssl;
  // SSL_set_tlsext_host_name, a macro with a C cast in it. It copies the name.
  if (SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(server_name_.c_str())) != 1) {
    return nullptr;
  }
  return ssl;
}

}  // namespace jobs_bridge::https
