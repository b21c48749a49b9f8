#include "tests/integration/https/client.h"
#include "tests/support/certificates.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::https {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing_support::CertificateAuthority;
using testing_support::TemporaryDirectory;

constexpr const char* kEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";

EndpointSettings through(const RawPeer& proxy) {
  EndpointSettings settings;
  settings.tls = false;
  settings.host = "endpoint.test";
  settings.port = 8080;
  settings.proxy.host = proxy.address();
  settings.proxy.port = proxy.port();
  return settings;
}

TEST(HttpsProxyTest, PlainRequestGoesThroughTheTunnel) {
  std::string connect;
  RawPeer proxy([&](PeerConnection& connection) {
    connect = connection.read_request();
    connection.send(kEstablished);
    echo(connection);
  });
  Client client(through(proxy));
  EXPECT_EQ(answer(client.perform(put("one"))).body, "one");
  EXPECT_EQ(answer(client.perform(put("two"))).body, "two");
  EXPECT_THAT(connect, StartsWith("CONNECT endpoint.test:8080 HTTP/1.1\r\n"));
  EXPECT_THAT(connect, HasSubstr("\r\nHost: endpoint.test:8080\r\n"));
  EXPECT_THAT(connect, Not(HasSubstr("Proxy-Authorization")));
  EXPECT_EQ(proxy.connections(), 1U);
}

TEST(HttpsProxyTest, TlsGoesThroughTheTunnelAndVerifiesTheEndpoint) {
  const TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  const auto context = testing_support::server_tls(
      {.tls = authority.issue("server", {.dns_names = {"endpoint.test"}})});
  RawPeer proxy([&](PeerConnection& connection) {
    connection.read_request();
    connection.send(kEstablished);
    if (connection.start_tls(context.get())) echo(connection);
  });
  EndpointSettings settings = through(proxy);
  settings.tls = true;
  settings.ca_file = authority.certificate_file();
  EXPECT_EQ(answer(Client(settings).perform(put("x"))).body, "x");
  settings.host = "other.test";
  EXPECT_EQ(failure(Client(settings).perform(put("x"))).kind, Kind::certificate);
}

TEST(HttpsProxyTest, UserAndPasswordGoToTheProxyOnly) {
  std::string connect;
  std::string request;
  RawPeer proxy([&](PeerConnection& connection) {
    connect = connection.read_request();
    connection.send(kEstablished);
    request = connection.read_request();
    connection.send(http_answer("{}"));
  });
  EndpointSettings settings = through(proxy);
  settings.proxy.username = "Aladdin";
  settings.proxy.password = "open sesame";
  Client client(std::move(settings));
  answer(client.perform(put()));
  EXPECT_THAT(connect,
              HasSubstr("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Proxy-Authorization")));
}

/// What a request through a proxy that answers CONNECT so fails with.
HttpFailure refusal(const std::string& bytes) {
  RawPeer proxy([&](PeerConnection& connection) {
    connection.read_request();
    connection.send(bytes);
  });
  EndpointSettings settings = through(proxy);
  settings.proxy.username = "user";
  settings.proxy.password = "pass-secret";
  Client client(std::move(settings));
  HttpFailure refused = failure(client.perform(put()));
  EXPECT_EQ(refused.kind, Kind::proxy);
  EXPECT_FALSE(refused.maybe_sent);
  EXPECT_THAT(refused.detail, HasSubstr("endpoint.test:8080"));
  EXPECT_THAT(refused.detail, HasSubstr("proxy 127.0.0.1:" + std::to_string(proxy.port())));
  EXPECT_THAT(refused.detail, Not(HasSubstr("secret")));
  return refused;
}

TEST(HttpsProxyTest, AuthenticationDemandIsNotTheEndpointsAnswer) {
  EXPECT_THAT(refusal("HTTP/1.1 407 Proxy Authentication Required\r\n"
                      "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
                  .detail,
              HasSubstr("407"));
}

TEST(HttpsProxyTest, ProxysErrorIsNotTheEndpointsAnswer) {
  EXPECT_THAT(refusal("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").detail,
              HasSubstr("502"));
}

TEST(HttpsProxyTest, AProxyThatDoesNotListenIsNamedWithItsPort) {
  EndpointSettings settings;
  settings.host = "endpoint.test";
  settings.port = 443;
  settings.proxy.host = "127.0.0.1";
  {
    settings.proxy.port = RawPeer([](PeerConnection&) {}).port();
  }
  const auto proxy = "proxy 127.0.0.1:" + std::to_string(settings.proxy.port) + ": ";
  Client client(std::move(settings));
  const HttpFailure refused = failure(client.perform(put()));
  EXPECT_EQ(refused.kind, Kind::proxy);
  EXPECT_THAT(refused.detail, HasSubstr("endpoint.test:443: " + proxy));
  EXPECT_THAT(refused.detail, HasSubstr("Connection refused"));
}

TEST(HttpsProxyTest, AProxyWhoseNameIsUnknownIsNamedAsTheProxy) {
  EndpointSettings settings;
  settings.host = "endpoint.test";
  settings.port = 443;
  settings.proxy.host = "proxy.test";
  settings.proxy.port = 3128;
  Client client(std::move(settings),
                [](const std::string&) -> Result<std::vector<std::string>, std::string> {
                  return Failure{std::string("no such name")};
                });
  const HttpFailure unknown = failure(client.perform(put()));
  EXPECT_EQ(unknown.kind, Kind::proxy);
  EXPECT_THAT(unknown.detail,
              HasSubstr("endpoint.test:443: proxy proxy.test:3128: resolving the name: no such"));
}

TEST(HttpsProxyTest, GarbageFromTheProxyFails) {
  EXPECT_THAT(refusal("SSH-2.0-OpenSSH_9.2\r\n\r\n").detail, HasSubstr("not HTTP"));
}

TEST(HttpsProxyTest, ProxyThatHangsUpFails) {
  refusal("");
}

TEST(HttpsProxyTest, ProxyThatSpeaksForTheEndpointFails) {
  refusal(kEstablished + http_answer("forged"));
}

TEST(HttpsProxyTest, SilentProxyEndsAtConnectTimeout) {
  RawPeer proxy([](PeerConnection& connection) { connection.wait_for_close(); });
  EndpointSettings settings = through(proxy);
  settings.connect_timeout = 400ms;
  Client client(std::move(settings));
  expect_ends_at(400ms, [&] { EXPECT_EQ(failure(client.perform(put())).kind, Kind::proxy); });
}

}  // namespace
}  // namespace jobs_bridge::https
