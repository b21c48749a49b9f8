#include <cstdlib>
#include <filesystem>
#include <thread>
#include <variant>

#include "tests/integration/https/client.h"
#include "tests/support/certificates.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::https {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_support::CertificateAuthority;
using testing_support::CertificateContent;
using testing_support::Gate;
using testing_support::TemporaryDirectory;

class HttpsTlsTest : public ::testing::Test {
 protected:
  /// The settings to reach `peer` as `host`, trusting our authority.
  EndpointSettings secure(const RawPeer& peer, const std::string& host) const {
    EndpointSettings settings;
    settings.host = host;
    settings.port = peer.port();
    settings.ca_file = authority_.certificate_file();
    return settings;
  }

  RawPeer::Options presenting(const CertificateContent& content) const {
    RawPeer::Options options;
    options.tls = authority_.issue("server", content);
    return options;
  }

  RawPeer::Options presenting_name() const { return presenting({.dns_names = {"name.test"}}); }

  /// What a request to a peer with such a certificate, as `host`, fails with.
  HttpFailure refusal(const CertificateContent& content, const std::string& host) const {
    RawPeer peer(presenting(content), echo);
    Client client(secure(peer, host), always({"127.0.0.1"}));
    HttpFailure refused = failure(client.perform(put()));
    EXPECT_EQ(refused.kind, Kind::certificate);
    EXPECT_FALSE(refused.maybe_sent);
    EXPECT_THAT(refused.detail, HasSubstr(std::to_string(peer.port()) + ": "));
    return refused;
  }

  TemporaryDirectory directory_;
  CertificateAuthority authority_{directory_.path()};
};

TEST_F(HttpsTlsTest, NameInTheCertificateIsAccepted) {
  std::string server_name;
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    server_name = connection.server_name();
    echo(connection);
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(answer(client.perform(put(std::to_string(i)))).body, std::to_string(i));
  }
  EXPECT_EQ(server_name, "name.test");
  EXPECT_EQ(peer.connections(), 1U);
}

TEST_F(HttpsTlsTest, NameIsComparedWithoutCaseAndFinalDot) {
  RawPeer peer(presenting_name(), echo);
  Client client(secure(peer, "NAME.test."), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST_F(HttpsTlsTest, WildcardNameIsAccepted) {
  RawPeer peer(presenting({.dns_names = {"*.name.test"}}), echo);
  Client client(secure(peer, "jobs.name.test"), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST_F(HttpsTlsTest, AddressInTheCertificateIsAcceptedAndNotSentAsName) {
  std::string server_name = "none seen";
  RawPeer peer(presenting({.addresses = {"127.0.0.1"}}), [&](PeerConnection& connection) {
    server_name = connection.server_name();
    echo(connection);
  });
  Client client(secure(peer, "127.0.0.1"));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
  EXPECT_EQ(server_name, "");
}

TEST_F(HttpsTlsTest, LargeBodiesPassBothWays) {
  RawPeer peer(presenting_name(), echo);
  EndpointSettings settings = secure(peer, "name.test");
  settings.max_answer_bytes = 4 << 20;
  settings.answer_timeout = 30s;
  Client client(std::move(settings), always({"127.0.0.1"}));
  const std::string body(2 << 20, 'x');
  EXPECT_EQ(answer(client.perform(put(body), 40s)).body, body);
}

/// Each byte is a TLS record of its own, which one read does not join with the next, as it would
/// bytes that TCP has put together.
TEST_F(HttpsTlsTest, BodyThatComesByteByByteIsNoLongLine) {
  RawPeer peer(presenting_name(), [](PeerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n");
    for (int i = 0; i < 9000; ++i) connection.send("x");
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put())).body.size(), 9000U);
}

TEST_F(HttpsTlsTest, OtherNameIsRefused) {
  EXPECT_THAT(refusal({.dns_names = {"other.test"}}, "name.test").detail,
              HasSubstr("hostname mismatch"));
}

TEST_F(HttpsTlsTest, OtherAddressIsRefused) {
  EXPECT_THAT(refusal({.addresses = {"127.0.0.2"}}, "127.0.0.1").detail,
              HasSubstr("IP address mismatch"));
}

TEST_F(HttpsTlsTest, AddressAsDnsNameIsRefused) {
  EXPECT_THAT(refusal({.dns_names = {"127.0.0.1"}}, "127.0.0.1").detail,
              HasSubstr("IP address mismatch"));
}

TEST_F(HttpsTlsTest, CommonNameAloneIsRefused) {
  EXPECT_THAT(refusal({.common_name = "name.test"}, "name.test").detail,
              HasSubstr("hostname mismatch"));
}

TEST_F(HttpsTlsTest, CommonNameBesideOtherNamesIsRefused) {
  refusal({.common_name = "name.test", .dns_names = {"other.test"}}, "name.test");
}

TEST_F(HttpsTlsTest, ExpiredCertificateIsRefused) {
  const CertificateContent expired{.dns_names = {"name.test"},
                                   .valid_from = std::chrono::hours(-48),
                                   .valid_until = std::chrono::hours(-24)};
  EXPECT_THAT(refusal(expired, "name.test").detail, HasSubstr("certificate has expired"));
}

TEST_F(HttpsTlsTest, CertificateOfTheFutureIsRefused) {
  const CertificateContent future{.dns_names = {"name.test"},
                                  .valid_from = std::chrono::hours(24),
                                  .valid_until = std::chrono::hours(48)};
  EXPECT_THAT(refusal(future, "name.test").detail, HasSubstr("not yet valid"));
}

TEST_F(HttpsTlsTest, OtherAuthorityIsRefused) {
  const CertificateAuthority other(directory_.path(), "other");
  RawPeer peer(presenting_name(), echo);
  EndpointSettings settings = secure(peer, "name.test");
  settings.ca_file = other.certificate_file();
  Client client(std::move(settings), always({"127.0.0.1"}));
  const HttpFailure refused = failure(client.perform(put()));
  EXPECT_EQ(refused.kind, Kind::certificate);
  EXPECT_FALSE(refused.maybe_sent);
  EXPECT_THAT(refused.detail, HasSubstr("unable to get local issuer certificate"));
}

TEST_F(HttpsTlsTest, IntermediateAuthorityAloneIsTrustedForWhatItHasSigned) {
  const CertificateAuthority between(directory_.path(), "between", authority_);
  RawPeer::Options options;
  options.tls = between.issue("server", {.dns_names = {"name.test"}});
  RawPeer peer(std::move(options), echo);
  EndpointSettings settings = secure(peer, "name.test");
  settings.ca_file = between.certificate_file();
  Client client(std::move(settings), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST_F(HttpsTlsTest, SystemsAuthoritiesThatAreReplacedCountWithoutARestart) {
  const CertificateAuthority other(directory_.path(), "other");
  const auto system = directory_.file("system.pem");
  std::filesystem::copy_file(other.certificate_file(), system);
  setenv("SSL_CERT_FILE", system.c_str(), 1);
  RawPeer peer(presenting_name(), echo);
  EndpointSettings settings = secure(peer, "name.test");
  settings.ca_file.clear();
  Client client(std::move(settings), always({"127.0.0.1"}));
  EXPECT_EQ(failure(client.perform(put())).kind, Kind::certificate);
  std::filesystem::rename(authority_.certificate_file(), system);
  EXPECT_TRUE(testing_support::wait_until(
      [&] { return std::holds_alternative<HttpResponse>(client.perform(put())); }));
  unsetenv("SSL_CERT_FILE");
}

TEST_F(HttpsTlsTest, SystemsAuthoritiesDoNotKnowOurs) {
  RawPeer peer(presenting_name(), echo);
  EndpointSettings settings = secure(peer, "name.test");
  settings.ca_file.clear();
  Client client(std::move(settings), always({"127.0.0.1"}));
  EXPECT_EQ(failure(client.perform(put())).kind, Kind::certificate);
}

TEST_F(HttpsTlsTest, OldTlsIsRefused) {
  RawPeer::Options options = presenting_name();
  options.only_tls_1_1 = true;
  RawPeer peer(options, echo);
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  const HttpFailure refused = failure(client.perform(put()));
  EXPECT_EQ(refused.kind, Kind::tls);
  EXPECT_THAT(refused.detail, HasSubstr("protocol version"));
}

TEST_F(HttpsTlsTest, PeerWithoutTlsIsATlsFailure) {
  RawPeer peer([](PeerConnection& connection) {
    connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.wait_for_close();
  });
  Client client(secure(peer, "127.0.0.1"));
  const HttpFailure refused = failure(client.perform(put()));
  EXPECT_EQ(refused.kind, Kind::tls);
  EXPECT_FALSE(refused.maybe_sent);
  EXPECT_THAT(refused.detail, HasSubstr("the server does not speak TLS on this port"));
}

TEST_F(HttpsTlsTest, PeerThatClosesInHandshakeIsATlsFailure) {
  RawPeer peer([](PeerConnection& connection) {
    connection.wait_for_data();
    connection.reset();
  });
  Client client(secure(peer, "127.0.0.1"));
  const HttpFailure refused = failure(client.perform(put()));
  EXPECT_EQ(refused.kind, Kind::tls);
  EXPECT_FALSE(refused.maybe_sent);
}

TEST_F(HttpsTlsTest, ClientCertificateIsPresented) {
  RawPeer::Options options = presenting_name();
  options.client_ca_file = authority_.certificate_file();
  std::string client_name;
  RawPeer peer(options, [&](PeerConnection& connection) {
    client_name = connection.client_name();
    echo(connection);
  });
  EndpointSettings settings = secure(peer, "name.test");
  const auto files = authority_.issue("gateway", {.common_name = "gateway-7"});
  settings.certificate_file = files.certificate;
  settings.private_key_file = files.private_key;
  Client client(std::move(settings), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
  EXPECT_EQ(client_name, "gateway-7");
}

/// The endpoint would go on to see the old one for as long as requests keep the connection in use.
TEST_F(HttpsTlsTest, ConnectionMadeWithACertificateThatIsReplacedIsNotUsedAgain) {
  RawPeer::Options options = presenting_name();
  options.client_ca_file = authority_.certificate_file();
  RawPeer peer(options, [](PeerConnection& connection) {
    const auto client_name = connection.client_name();
    while (!connection.read_request().empty()) connection.send(http_answer(client_name));
  });
  EndpointSettings settings = secure(peer, "name.test");
  const auto files = authority_.issue("gateway", {.common_name = "old"});
  settings.certificate_file = files.certificate;
  settings.private_key_file = files.private_key;
  settings.idle_limit = 1h;
  Client client(std::move(settings), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put())).body, "old");
  static_cast<void>(authority_.issue("gateway", {.common_name = "new"}));
  EXPECT_TRUE(
      testing_support::wait_until([&] { return answer(client.perform(put())).body == "new"; }));
  EXPECT_EQ(peer.connections(), 2U);
}

/// TLS 1.3 tells us after the handshake, TLS 1.2 within it.
TEST_F(HttpsTlsTest, ClientCertificateThatIsMissingOrForeignIsNamedAsSuch) {
  const CertificateAuthority other(directory_.path(), "other");
  const auto foreign = other.issue("foreign", {.common_name = "foreign"});
  for (const bool only_tls_1_2 : {false, true}) {
    RawPeer::Options options = presenting_name();
    options.client_ca_file = authority_.certificate_file();
    options.only_tls_1_2 = only_tls_1_2;
    RawPeer peer(options, echo);
    EndpointSettings settings = secure(peer, "name.test");
    Client without(settings, always({"127.0.0.1"}));
    const HttpFailure missing = failure(without.perform(put()));
    EXPECT_EQ(missing.kind, Kind::client_certificate);
    EXPECT_THAT(missing.detail, HasSubstr("the server requires a client certificate"));
    settings.certificate_file = foreign.certificate;
    settings.private_key_file = foreign.private_key;
    Client with(settings, always({"127.0.0.1"}));
    const HttpFailure refused = failure(with.perform(put()));
    EXPECT_EQ(refused.kind, Kind::client_certificate);
    EXPECT_THAT(refused.detail, HasSubstr("the server refuses the bridge's client certificate"));
  }
}

TEST_F(HttpsTlsTest, TricklingPeerEndsAtAnswerTimeout) {
  RawPeer peer(presenting_name(), [](PeerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (connection.send("x")) std::this_thread::sleep_for(10ms);
  });
  EndpointSettings settings = secure(peer, "name.test");
  settings.answer_timeout = 400ms;
  Client client(std::move(settings), always({"127.0.0.1"}));
  expect_ends_at(400ms, [&] { EXPECT_EQ(failure(client.perform(put())).kind, Kind::timeout); });
}

TEST_F(HttpsTlsTest, BodyTruncatedWithoutCloseNotifyIsBroken) {
  RawPeer peer(presenting_name(), [](PeerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\n{\"whole\":");
    connection.close_abruptly();
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  EXPECT_EQ(failure(client.perform(put())).kind, Kind::broken);
}

TEST_F(HttpsTlsTest, BodyEndedByCloseNotifyIsWhole) {
  RawPeer peer(presenting_name(), [](PeerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\n{}");
    connection.close();
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put())).body, "{}");
}

class TlsResumptionTest : public HttpsTlsTest, public ::testing::WithParamInterface<bool> {};

TEST_P(TlsResumptionTest, NextConnectionResumesTheSession) {
  std::vector<bool> resumed;
  RawPeer::Options options = presenting_name();
  options.only_tls_1_2 = GetParam();
  RawPeer peer(options, [&](PeerConnection& connection) {
    const std::string request = connection.read_request();
    resumed.push_back(connection.resumed());
    connection.send(http_answer(body_of(request), "200 OK", "Connection: close\r\n"));
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(answer(client.perform(put(std::to_string(i)))).body, std::to_string(i));
  }
  EXPECT_THAT(resumed, ElementsAre(false, true, true, true));
}

INSTANTIATE_TEST_SUITE_P(All, TlsResumptionTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Tls12" : "Tls13"; });

TEST_F(HttpsTlsTest, PeerThatRefusesToResumeIsAskedForItOnce) {
  RawPeer::Options options = presenting_name();
  options.client_ca_file = authority_.certificate_file();
  options.resumes_tls_sessions = false;
  RawPeer peer(options, [&](PeerConnection& connection) {
    connection.send(
        http_answer(body_of(connection.read_request()), "200 OK", "Connection: close\r\n"));
  });
  EndpointSettings settings = secure(peer, "name.test");
  const auto files = authority_.issue("gateway", {.common_name = "gateway-7"});
  settings.certificate_file = files.certificate;
  settings.private_key_file = files.private_key;
  Client client(std::move(settings), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("one"))).body, "one");
  const HttpFailure refused = failure(client.perform(put("two")));
  EXPECT_EQ(refused.kind, Kind::tls);
  EXPECT_FALSE(refused.maybe_sent);
  for (const char* const body : {"three", "four", "five"}) {
    EXPECT_EQ(answer(client.perform(put(body))).body, body);
  }
}

TEST_F(HttpsTlsTest, SessionTicketsBetweenTwoAnswersLeaveTheConnectionInUse) {
  Gate sent;
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    connection.read_request();
    connection.send(http_answer("first"));
    connection.send_session_tickets(5);
    sent.open();
    connection.read_request();
    connection.send_session_tickets(5);
    connection.send(http_answer("second"));
    connection.wait_for_close();
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("one"))).body, "first");
  ASSERT_TRUE(sent.wait());
  EXPECT_EQ(answer(client.perform(put("two"))).body, "second");
  EXPECT_EQ(peer.connections(), 1U);
}

TEST_F(HttpsTlsTest, SessionTicketsWithEachOfManyAnswersLeaveTheConnectionInUse) {
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.send_session_tickets(20);
      connection.send(http_answer("more"));
    }
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(answer(client.perform(put("x"))).body, "more") << i;
  EXPECT_EQ(peer.connections(), 1U);
}

TEST_F(HttpsTlsTest, AfterAHandshakeThatFailsTheNextAddressIsTriedFirst) {
  RawPeer stranger(presenting({.dns_names = {"other.test"}}), echo);
  auto beside = presenting_name();
  beside.address = "127.0.0.2";
  beside.port = stranger.port();
  RawPeer peer(beside, echo);
  Client client(secure(stranger, "name.test"), always({"127.0.0.1", "127.0.0.2"}));
  EXPECT_EQ(failure(client.perform(put("x"))).kind, Kind::certificate);
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST_F(HttpsTlsTest, SessionTicketsWithoutEndOnAnIdleConnectionCostThatConnection) {
  Gate begun;
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    connection.send(http_answer("first"));
    connection.send_session_tickets(200);
    begun.open();
    while (connection.send_session_tickets(100)) {
    }
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("one"))).body, "first");
  ASSERT_TRUE(begun.wait());
  EXPECT_EQ(answer(client.perform(put("two"))).body, "two");
  EXPECT_EQ(peer.connections(), 2U);
}

TEST_F(HttpsTlsTest, SessionTicketsWithoutEndInPlaceOfAnAnswerBreakTheConnection) {
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    while (connection.send_session_tickets(100)) {
    }
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  const HttpFailure refused = failure(client.perform(put("one")));
  EXPECT_EQ(refused.kind, Kind::broken);
  EXPECT_TRUE(refused.maybe_sent);
  EXPECT_THAT(refused.detail, HasSubstr("session tickets"));
  EXPECT_EQ(answer(client.perform(put("two"))).body, "two");
}

struct End {
  const char* name;
  void (PeerConnection::*end)();
};

class TlsEndTest : public HttpsTlsTest, public ::testing::WithParamInterface<End> {};

TEST_P(TlsEndTest, WhileIdleIsNoticedBeforeSending) {
  Gate ended;
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    connection.send(http_answer("first"));
    (connection.*GetParam().end)();
    ended.open();
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  client.perform(put("one"));
  ASSERT_TRUE(ended.wait());
  EXPECT_EQ(answer(client.perform(put("two"))).body, "two");
}

TEST_P(TlsEndTest, AsTheRequestArrivesRepeatsARepeatableOne) {
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    connection.send(http_answer("first"));
    connection.read_request();
    (connection.*GetParam().end)();
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  answer(client.perform(put("one", true)));
  EXPECT_EQ(answer(client.perform(put("two", true))).body, "two");
}

INSTANTIATE_TEST_SUITE_P(All, TlsEndTest,
                         ::testing::Values(End{"Close", &PeerConnection::close},
                                           End{"CloseWithoutGoodbye",
                                               &PeerConnection::close_abruptly},
                                           End{"Reset", &PeerConnection::reset}),
                         [](const auto& test) { return test.param.name; });

struct Surplus {
  const char* name;
  std::string bytes;
  bool same_record;
};

class TlsSurplusTest : public HttpsTlsTest, public ::testing::WithParamInterface<Surplus> {};

TEST_P(TlsSurplusTest, NeverBecomesTheNextAnswer) {
  Gate sent;
  RawPeer peer(presenting_name(), [&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    if (GetParam().same_record) {
      connection.send(http_answer("first") + GetParam().bytes);
    } else {
      connection.send(http_answer("first"));
      connection.send(GetParam().bytes);
    }
    sent.open();
    connection.wait_for_close();
  });
  Client client(secure(peer, "name.test"), always({"127.0.0.1"}));
  EXPECT_EQ(answer(client.perform(put("one"))).body, "first");
  ASSERT_TRUE(sent.wait());
  EXPECT_EQ(answer(client.perform(put("two"))).body, "two");
  EXPECT_EQ(peer.connections(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    All, TlsSurplusTest,
    ::testing::Values(Surplus{"AnswerInTheSameRecord", http_answer("forged"), true},
                      Surplus{"AnswerInARecordOfItsOwn", http_answer("forged"), false},
                      Surplus{"OneByteInTheSameRecord", "x", true},
                      Surplus{"OneByteInARecordOfItsOwn", "x", false},
                      Surplus{"MoreThanOneReadTakes", http_answer(std::string(40000, 'y')), true}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace jobs_bridge::https
