#include <csignal>
#include <filesystem>

#include "tests/integration/hostile/others.h"
#include "tests/support/raw_peer.h"
#include "tests/support/wait_until.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

CertificateFiles local(const CertificateAuthority& authority, const std::string& name) {
  return authority.issue(name, {.addresses = {"127.0.0.1"}});
}

void answer_all(PeerConnection& connection) {
  while (!connection.read_request().empty()) connection.send(http_answer("{}"));
}

TEST(HostileTlsTest, EndpointOfTls11IsRefusedAndTheLogNamesTheCause) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  RawPeer endpoint({.tls = local(authority, "endpoint"), .only_tls_1_1 = true}, answer_all);
  MosquittoBroker broker;
  BridgeProcess bridge({"broker.url=" + broker.url(),
                        "endpoint.url=https://127.0.0.1:" + std::to_string(endpoint.port()),
                        "endpoint.ca_file=" + authority.certificate_file(), "limits.deadline=1s"});
  Others others(broker.port());
  EXPECT_FALSE(others.ask());
  EXPECT_THAT(others.last(), testing::HasSubstr("InternalError"));
  EXPECT_TRUE(bridge.process().wait_for_line("calm.*detail=.*(protocol version|unsupported)"))
      << bridge.log();
}

TEST(HostileTlsTest, BrokerOfTls11IsRefusedAndTheLogNamesTheCause) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  RawPeer broker({.tls = local(authority, "broker"), .only_tls_1_1 = true},
                 [](PeerConnection& connection) { connection.wait_for_close(); });
  BridgeProcess bridge(
      {"broker.url=mqtts://127.0.0.1:" + std::to_string(broker.port()),
       "broker.ca_file=" + authority.certificate_file(), "endpoint.url=http://127.0.0.1:9"},
      BridgeProcess::Wait::not_at_all);
  EXPECT_TRUE(bridge.process().wait_for_line("cannot connect to the broker.*kind=tls_version"))
      << bridge.log();
}

/// What takes the place of a revocation list: the authority is struck from the file.
TEST(HostileTlsTest, AuthorityTakenOutOfTheFileIsRefusedWithinASecondOrTwo) {
  TemporaryDirectory directory;
  TemporaryDirectory elsewhere;
  const CertificateAuthority withdrawn(directory.path());
  const CertificateAuthority other(elsewhere.path());
  const auto trusted = directory.file("trusted.pem");
  std::filesystem::copy_file(withdrawn.certificate_file(), trusted);
  RawPeer endpoint({.tls = local(withdrawn, "endpoint")}, answer_all);
  MosquittoBroker broker;
  BridgeProcess bridge({"broker.url=" + broker.url(),
                        "endpoint.url=https://127.0.0.1:" + std::to_string(endpoint.port()),
                        "endpoint.ca_file=" + trusted, "limits.deadline=1s"});
  Others others(broker.port());
  ASSERT_TRUE(others.ask()) << others.last() << bridge.log();
  std::filesystem::copy_file(other.certificate_file(), trusted,
                             std::filesystem::copy_options::overwrite_existing);
  bridge.process().signal(SIGHUP);
  ASSERT_TRUE(bridge.process().wait_for_line("reloaded")) << bridge.log();
  // Files are looked at once a second. The connection made before is not used again either.
  EXPECT_TRUE(wait_until([&] { return !others.ask(); })) << bridge.log();
  EXPECT_THAT(others.last(), testing::HasSubstr("InternalError"));
  EXPECT_TRUE(bridge.process().wait_for_line("calm.*detail=.*certificate")) << bridge.log();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
