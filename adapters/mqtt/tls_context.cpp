#include "adapters/mqtt/tls_context.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string>
#include <utility>

#include "adapters/tls/handshake.h"
#include "adapters/tls/identity.h"

namespace jobs_bridge::mqtt {
namespace {

/// A complete name may end in a dot; names in certificates do not.
std::string name_in_certificates(std::string host) {
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool is_address(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::optional<BrokerFault> load_authorities(SSL_CTX& context, const std::string& file) {
  if (!file.empty()) {
    if (auto fault = tls::unreadable("broker.ca_file", file)) {
      return BrokerFault{BrokerFault::Kind::file, *std::move(fault)};
    }
  }
  const bool loaded = file.empty() ? SSL_CTX_set_default_verify_paths(&context) == 1
                                   : SSL_CTX_load_verify_file(&context, file.c_str()) == 1;
  if (loaded) return std::nullopt;
  return BrokerFault{
      BrokerFault::Kind::file,
      "broker.ca_file " + file + ": not a PEM file with certificates (" + tls::take_error() + ")"};
}

std::optional<BrokerFault> load_identity(SSL_CTX& context, const BrokerSettings& settings) {
  auto fault = tls::load_identity(context, settings.certificate_file, settings.private_key_file);
  if (!fault) return std::nullopt;
  return fault_of(*std::move(fault));
}

BrokerFault fault_of_library() {
  return {BrokerFault::Kind::tls, tls::take_error()};
}

bool expect_name(SSL_CTX& context, const std::string& whole_host) {
  const auto host = name_in_certificates(whole_host);
  auto* expected = SSL_CTX_get0_param(&context);
  return is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1
                          : X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size()) == 1;
}

}  // namespace

Result<TlsContext, BrokerFault> tls_context_of(const BrokerSettings& settings) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      !expect_name(*context, settings.host)) {
    return Failure{fault_of_library()};
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  tls::note_certificate_requests(*context);
  if (auto fault = load_authorities(*context, settings.ca_file)) return Failure{*std::move(fault)};
  if (auto fault = load_identity(*context, settings)) return Failure{*std::move(fault)};
  return context;
}

std::optional<BrokerFault> check_identity(const BrokerSettings& settings) {
  const TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fault_of_library();
  return load_identity(*context, settings);
}

void ask_for_name(SSL& ssl, const BrokerSettings& settings) {
  auto name = name_in_certificates(
      settings.host);  // what the macro SSL_set_tlsext_host_name does, without its C cast
  SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           is_address(name) ? nullptr : name.data());
}

}  // namespace jobs_bridge::mqtt
