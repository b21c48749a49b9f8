#include "adapters/mqtt/tls_context.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace jobs_bridge::mqtt {
namespace {

constexpr const char* no_reason = "no reason given";

bool is_address(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::string load(SSL_CTX& context, const BrokerSettings& settings) {
  const bool trusted =
      settings.ca_file.empty()
          ? SSL_CTX_set_default_verify_paths(&context) == 1
          : SSL_CTX_load_verify_locations(&context, settings.ca_file.c_str(), nullptr) == 1;
  if (!trusted) return "broker.ca_file " + settings.ca_file + ": " + first_tls_error(no_reason);
  if (settings.certificate_file.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(&context, settings.certificate_file.c_str()) != 1) {
    return "broker.certificate_file " + settings.certificate_file + ": " +
           first_tls_error(no_reason);
  }
  const auto& key = settings.private_key_file;
  if (SSL_CTX_use_PrivateKey_file(&context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(&context) != 1) {
    return "broker.private_key_file " + key + ": " + first_tls_error(no_reason);
  }
  return {};
}

bool expect_name(SSL_CTX& context, const std::string& host) {
  auto* expected = SSL_CTX_get0_param(&context);
  return is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1
                          : X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size()) == 1;
}

}  // namespace

std::string first_tls_error(const char* otherwise) {
  const auto code = ERR_peek_error();
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  if (ERR_SYSTEM_ERROR(code)) return std::system_category().message(ERR_GET_REASON(code));
  return otherwise;
}

TlsContext tls_context_of(const BrokerSettings& settings, std::string& fault) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      !expect_name(*context, settings.host)) {
    fault = first_tls_error(no_reason);
    return nullptr;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  fault = load(*context, settings);
  return fault.empty() ? std::move(context) : nullptr;
}

void ask_for_name(SSL& ssl, const BrokerSettings& settings) {
  auto name = settings.host;  // what the macro SSL_set_tlsext_host_name does, without its C cast
  SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           is_address(name) ? nullptr : name.data());
}

}  // namespace jobs_bridge::mqtt
