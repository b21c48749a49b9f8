#include "tests/endpoint/tls.h"

#include <openssl/ssl.h>

#include <stdexcept>

namespace jobs_endpoint {
namespace {

void require(const boost::system::error_code& error, const std::string& what,
             const std::string& file) {
  if (error) throw std::runtime_error("cannot use " + what + " " + file + ": " + error.message());
}

}  // namespace

boost::asio::ssl::context make_tls_context(const TlsFiles& files) {
  using boost::asio::ssl::context;
  context tls(context::tls_server);
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  tls.use_certificate_chain_file(files.certificate, error);
  require(error, "certificate", files.certificate);
  tls.use_private_key_file(files.private_key, context::pem, error);
  require(error, "private key", files.private_key);
  if (SSL_CTX_check_private_key(tls.native_handle()) != 1) {
    throw std::runtime_error("private key " + files.private_key + " does not belong to " +
                             files.certificate);
  }
  // Sessions that were verified with a client certificate are resumed only within a context.
  constexpr unsigned char session_context[] = "jobs-endpoint";
  SSL_CTX_set_session_id_context(tls.native_handle(), session_context, sizeof(session_context) - 1);
  if (!files.client_ca.empty()) {
    tls.load_verify_file(files.client_ca, error);
    require(error, "client CA", files.client_ca);
    SSL_CTX_set_client_CA_list(tls.native_handle(),
                               SSL_load_client_CA_file(files.client_ca.c_str()));
    tls.set_verify_mode(
        boost::asio::ssl::verify_peer |
        (files.client_may_be_unknown ? 0 : boost::asio::ssl::verify_fail_if_no_peer_cert));
  }
  return tls;
}

}  // namespace jobs_endpoint
