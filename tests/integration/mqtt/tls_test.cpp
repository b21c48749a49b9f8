#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/support/certificates.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

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
  static BrokerFault fault_with(BrokerSettings settings) {
    BridgeEnd bridge(std::move(settings));
    return fault_of(bridge);
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
  EXPECT_EQ(fault_with(by_name), (BrokerFault{Kind::certificate_name, "hostname mismatch"}));
  EXPECT_EQ(fault_with(settings(broker.port())),
            (BrokerFault{Kind::certificate_name, "IP address mismatch"}));
}

TEST_F(TlsTest, CommonNameIsNoNameOfTheHost) {
  MosquittoBroker broker({.tls = authority.issue("broker", {.common_name = "localhost"})});
  auto by_name = settings(broker.port());
  by_name.host = "localhost";
  EXPECT_EQ(fault_with(by_name), (BrokerFault{Kind::certificate_name, "hostname mismatch"}));
}

TEST_F(TlsTest, CertificateOfAnUnknownAuthorityIsRefused) {
  MosquittoBroker broker({.tls = good_certificate()});
  TemporaryDirectory elsewhere;
  const CertificateAuthority other(elsewhere.path(), "other");
  auto wrong = settings(broker.port());
  wrong.ca_file = other.certificate_file();
  EXPECT_EQ(fault_with(wrong).kind, Kind::certificate_untrusted);
  wrong.ca_file = "";  // the system's authorities
  EXPECT_EQ(fault_with(wrong).kind, Kind::certificate_untrusted);
}

TEST_F(TlsTest, IntermediateAuthorityAloneIsTrustedOrItsRootAskedFor) {
  const CertificateAuthority between(directory.path(), "between", authority);
  MosquittoBroker broker({.tls = between.issue("broker", {.addresses = {"127.0.0.1"}})});
  auto by_intermediate = settings(broker.port());
  by_intermediate.ca_file = between.certificate_file();
  if (library_under_test() == mqtt::Library::paho) {
    const auto fault = fault_with(by_intermediate);
    EXPECT_EQ(fault.kind, Kind::file);
    EXPECT_THAT(fault.detail, testing::HasSubstr("no root certificate"));
    by_intermediate.ca_file = directory.file("both.pem");
    std::ofstream(by_intermediate.ca_file) << std::ifstream(between.certificate_file()).rdbuf()
                                           << std::ifstream(authority.certificate_file()).rdbuf();
  }
  BridgeEnd bridge(by_intermediate);
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

/// Each connection reads the file anew.
TEST_F(TlsTest, AuthorityFileThatIsReplacedCountsWithoutARestart) {
  const CertificateAuthority other(directory.path(), "other");
  MosquittoBroker broker({.tls = good_certificate()});
  auto replaced = settings(broker.port());
  replaced.ca_file = directory.file("authorities.pem");
  std::filesystem::copy_file(other.certificate_file(), replaced.ca_file);
  BridgeEnd bridge(replaced);
  bridge.connection.start();
  EXPECT_TRUE(bridge.log.wait_for("kind=certificate_untrusted")) << bridge.log.text();
  std::filesystem::rename(authority.certificate_file(), replaced.ca_file);
  EXPECT_TRUE(bridge.log.wait_for("subscribed to the request topics")) << bridge.log.text();
}

TEST_F(TlsTest, ExpiredCertificateIsRefused) {
  MosquittoBroker broker(
      {.tls = authority.issue("broker", {.dns_names = {"localhost"},
                                         .addresses = {"127.0.0.1"},
                                         .valid_from = std::chrono::hours(-48),
                                         .valid_until = std::chrono::hours(-24)})});
  EXPECT_EQ(fault_with(settings(broker.port())).kind, Kind::certificate_date);
}

TEST_F(TlsTest, AuthorityFileThatIsMissingIsNamed) {
  MosquittoBroker broker({.tls = good_certificate()});
  auto wrong = settings(broker.port());
  wrong.ca_file = directory.file("no-such-file.pem");
  EXPECT_EQ(fault_with(wrong), (BrokerFault{Kind::file, "broker.ca_file " + wrong.ca_file +
                                                            ": No such file or directory"}));
}

TEST_F(TlsTest, VersionsBelow12AreRefused) {
  RawPeer peer({.tls = good_certificate(), .only_tls_1_1 = true},
               [](PeerConnection& connection) { connection.wait_for_close(); });
  EXPECT_EQ(fault_with(settings(peer.port())).kind, Kind::tls_version);
}

TEST_F(TlsTest, Version13IsSpoken) {
  MosquittoBroker broker({.tls = good_certificate(), .configuration = "tls_version tlsv1.3"});
  BridgeEnd bridge(settings(broker.port()));
  EXPECT_TRUE(bridge.start()) << bridge.log.text();
}

TEST_F(TlsTest, PlainBrokerIsNotSpokenToInPlain) {
  MosquittoBroker broker;
  EXPECT_EQ(fault_with(settings(broker.port())).kind, Kind::plain_port);
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

/// TLS 1.3 tells the client after the handshake, TLS 1.2 within it.
TEST_F(TlsTest, ClientCertificateThatIsMissingOrForeignIsNamed) {
  TemporaryDirectory elsewhere;
  const CertificateAuthority other(elsewhere.path(), "other");
  const auto foreign = other.issue("foreign", {.common_name = "foreign"});
  const auto try_both = [&](std::uint16_t port) {
    auto with = settings(port);
    auto fault = fault_with(with);
    EXPECT_EQ(fault.kind, Kind::client_certificate_missing) << text_of(fault);
    with.certificate_file = foreign.certificate;
    with.private_key_file = foreign.private_key;
    fault = fault_with(with);
    EXPECT_EQ(fault.kind, Kind::client_certificate_refused) << text_of(fault);
  };
  MosquittoBroker broker(
      {.tls = good_certificate(), .client_ca_file = authority.certificate_file()});
  try_both(broker.port());
  RawPeer of_tls_1_2({.tls = good_certificate(),
                      .client_ca_file = authority.certificate_file(),
                      .only_tls_1_2 = true},
                     [](PeerConnection& connection) { connection.wait_for_close(); });
  try_both(of_tls_1_2.port());
}

TEST_F(TlsTest, EncryptedPrivateKeyIsNamedAndNobodyIsAskedForThePassphrase) {
  MosquittoBroker broker({.tls = good_certificate()});
  auto locked = settings(broker.port());
  const auto files = authority.issue("bridge", {.common_name = "bridge"});
  locked.certificate_file = files.certificate;
  locked.private_key_file = directory.file("locked.pem");
  encrypt_private_key(files.private_key, locked.private_key_file, "passphrase");
  EXPECT_EQ(
      fault_with(locked),
      (BrokerFault{Kind::key_encrypted, "broker.private_key_file " + locked.private_key_file +
                                            ": the key is encrypted, which is not supported"}));
}

TEST_F(TlsTest, PrivateKeyThatDoesNotFitIsNamed) {
  MosquittoBroker broker({.tls = good_certificate()});
  auto wrong = settings(broker.port());
  wrong.certificate_file = authority.issue("one", {.common_name = "one"}).certificate;
  wrong.private_key_file = authority.issue("two", {.common_name = "two"}).private_key;
  EXPECT_EQ(fault_with(wrong),
            (BrokerFault{Kind::file, "broker.private_key_file " + wrong.private_key_file +
                                         ": the key does not belong to certificate_file " +
                                         wrong.certificate_file}));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
