#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/support/certificates.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  TlsTest() : authority(directory.path()) {}

  [[nodiscard]] BrokerSettings settings(std::uint16_t port,
                                        Protocol protocol = Protocol::v5) const {
    auto settings = settings_for(port, protocol);
    settings.tls = true;
    settings.ca_file = authority.certificate_file();
    settings.connect_timeout = 3s;
    return settings;
  }
  [[nodiscard]] CertificateFiles good_certificate() const {
    return authority.issue("good", {.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}});
  }
  /// Why these settings do not lead to a connection; empty (and a failure) if they do.
  static std::string fault_with(BrokerSettings settings) {
    BridgeEnd bridge(std::move(settings));
    bridge.connection.start();
    EXPECT_TRUE(wait_until([&] { return !bridge.connection.state().last_fault.empty(); }));
    EXPECT_EQ(bridge.connection.state().connections, 0U);
    return bridge.connection.state().last_fault;
  }

  TemporaryDirectory directory;
  CertificateAuthority authority;
};

TEST_F(TlsTest, NameOfTheHostInTheCertificateIsAccepted) {
  MosquittoBroker broker({.tls = authority.issue("broker", {.dns_names = {"localhost"}})});
  auto by_name = settings(broker.port());
  by_name.host = "localhost";
  BridgeEnd bridge(by_name);
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST_F(TlsTest, CertificateForAnotherHostIsRefused) {
  MosquittoBroker broker({.tls = authority.issue("broker", {.dns_names = {"elsewhere"}})});
  auto by_name = settings(broker.port());
  by_name.host = "localhost";
  EXPECT_THAT(fault_with(by_name), HasSubstr("hostname mismatch"));
  EXPECT_THAT(fault_with(settings(broker.port())), HasSubstr("IP address mismatch"));
}

TEST_F(TlsTest, CertificateOfAnUnknownAuthorityIsRefused) {
  MosquittoBroker broker({.tls = good_certificate()});
  TemporaryDirectory elsewhere;
  const CertificateAuthority other(elsewhere.path(), "other");
  auto wrong = settings(broker.port());
  wrong.ca_file = other.certificate_file();
  EXPECT_THAT(fault_with(wrong), HasSubstr("unable to get local issuer certificate"));
  wrong.ca_file = "";  // the system's authorities
  EXPECT_THAT(fault_with(wrong), HasSubstr("TLS: "));
}

TEST_F(TlsTest, ExpiredCertificateIsRefused) {
  MosquittoBroker broker(
      {.tls = authority.issue("broker", {.dns_names = {"localhost"},
                                         .addresses = {"127.0.0.1"},
                                         .valid_from = std::chrono::hours(-48),
                                         .valid_until = std::chrono::hours(-24)})});
  EXPECT_THAT(fault_with(settings(broker.port())), HasSubstr("certificate has expired"));
}

TEST_F(TlsTest, AuthorityFileThatIsMissingIsNamed) {
  MosquittoBroker broker({.tls = good_certificate()});
  auto wrong = settings(broker.port());
  wrong.ca_file = directory.file("no-such-file.pem");
  EXPECT_THAT(fault_with(wrong), HasSubstr("no-such-file.pem"));
}

TEST_F(TlsTest, VersionsBelow12AreRefused) {
  RawPeer peer({.tls = good_certificate(), .only_tls_1_1 = true},
               [](PeerConnection& connection) { connection.wait_for_close(); });
  EXPECT_THAT(fault_with(settings(peer.port())), HasSubstr("TLS: "));
}

TEST_F(TlsTest, Version13IsSpoken) {
  MosquittoBroker broker({.tls = good_certificate(), .configuration = "tls_version tlsv1.3"});
  BridgeEnd bridge(settings(broker.port()));
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST_F(TlsTest, PlainBrokerIsNotSpokenToInPlain) {
  MosquittoBroker broker;
  EXPECT_THAT(fault_with(settings(broker.port())), HasSubstr("TLS: "));
}

TEST_F(TlsTest, ClientCertificateIsShownWhereTheBrokerWantsOne) {
  MosquittoBroker broker(
      {.tls = good_certificate(), .client_ca_file = authority.certificate_file()});
  auto with_certificate = settings(broker.port());
  const auto files = authority.issue("bridge", {.common_name = "bridge"});
  with_certificate.certificate_file = files.certificate;
  with_certificate.private_key_file = files.private_key;
  BridgeEnd bridge(with_certificate);
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST_F(TlsTest, MissingClientCertificateIsRefusedByTheBroker) {
  MosquittoBroker broker(
      {.tls = good_certificate(), .client_ca_file = authority.certificate_file()});
  EXPECT_NE(fault_with(settings(broker.port())), "");
}

TEST_F(TlsTest, PrivateKeyThatDoesNotFitIsNamed) {
  MosquittoBroker broker({.tls = good_certificate()});
  auto wrong = settings(broker.port());
  wrong.certificate_file = authority.issue("one", {.common_name = "one"}).certificate;
  wrong.private_key_file = authority.issue("two", {.common_name = "two"}).private_key;
  EXPECT_THAT(fault_with(wrong), HasSubstr("broker.private_key_file"));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
