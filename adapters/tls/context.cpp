#include "adapters/tls/context.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "adapters/net/address.h"
#include "adapters/tls/handshake.h"
#include "adapters/tls/identity.h"

namespace jobs_bridge::tls {
namespace {

using Cause = ContextFault::Kind;

/// A name may end in a dot to say that it is complete; certificates' names do not.
std::string without_final_dot(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

std::optional<ContextFault> load_authorities(SSL_CTX& context, const std::string& path) {
  if (path.empty()) {
    if (SSL_CTX_set_default_verify_paths(&context) == 1) return std::nullopt;
    return ContextFault{Cause::library, "the system's certificate authorities: " + take_error()};
  }
  if (auto fault = unreadable("ca_file", path)) return ContextFault{Cause::file, *std::move(fault)};
  if (SSL_CTX_load_verify_file(&context, path.c_str()) == 1) {
    // A configured authority is trusted even if it is an intermediate one.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(&context), X509_V_FLAG_PARTIAL_CHAIN);
    return std::nullopt;
  }
  return ContextFault{
      Cause::file, "ca_file " + path + ": not a PEM file with certificates (" + take_error() + ")"};
}

std::string setting_or(const char* variable, const char* otherwise) {
  const char* const value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

}  // namespace

Context new_context() {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (context) SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  return context;
}

Result<Context, ContextFault> client_context(const Settings& settings) {
  ERR_clear_error();
  Context context = new_context();
  if (!context) return Failure{ContextFault{Cause::library, take_error()}};
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (!require_name(*SSL_CTX_get0_param(context.get()), settings.host)) {
    return Failure{ContextFault{
        Cause::library,
        "host " + settings.host + ": not a name that a certificate can be issued for"}};
  }
  if (auto fault = load_authorities(*context, settings.ca_file)) return Failure{*std::move(fault)};
  if (auto fault = load_identity(*context, settings.certificate_file, settings.private_key_file)) {
    const bool encrypted = fault->kind == IdentityFault::Kind::encrypted;
    return Failure{
        ContextFault{encrypted ? Cause::encrypted : Cause::file, std::move(fault->text)}};
  }
  note_certificate_requests(*context);
  return context;
}

bool require_name(X509_VERIFY_PARAM& expected, const std::string& host) {
  X509_VERIFY_PARAM_set_hostflags(
      &expected, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (net::is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(&expected, host.c_str()) == 1;
  const auto name = without_final_dot(host);
  return X509_VERIFY_PARAM_set1_host(&expected, name.c_str(), name.size()) == 1;
}

bool has_root(const SSL_CTX& context) {
  const auto* const loaded = X509_STORE_get0_objects(SSL_CTX_get_cert_store(&context));
  for (int at = 0; at < sk_X509_OBJECT_num(loaded); ++at) {
    const auto* const certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(loaded, at));
    if (certificate != nullptr &&
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0) {
      return true;
    }
  }
  return false;
}

std::string system_authorities_file() {
  return setting_or(X509_get_default_cert_file_env(), X509_get_default_cert_file());
}

bool system_has_authorities() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path file = system_authorities_file();
  const fs::path folder = setting_or(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  return fs::exists(file, ignored) ||
         fs::directory_iterator(folder, ignored) != fs::directory_iterator();
}

bool ask_for_name(SSL& ssl, const std::string& host) {
  auto name = without_final_dot(host);
  // SSL_set_tlsext_host_name, a macro with a C cast in it. It copies the name.
  return SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  net::is_address(host) ? nullptr : name.data()) == 1;
}

}  // namespace jobs_bridge::tls
