#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/certificates.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/endpoint/raw_client.h"
#include "tests/unit/endpoint/running_server.h"

namespace jobs_endpoint {
namespace {

using jobs_bridge::testing_support::CertificateAuthority;
using jobs_bridge::testing_support::CertificateFiles;
using jobs_bridge::testing_support::TemporaryDirectory;
using testing::body_of;
using testing::End;
using ::testing::HasSubstr;
using testing::RawClient;
using testing::request;
using testing::RunningServer;
using testing::status_of;

class EndpointTlsTest : public ::testing::Test {
 protected:
  [[nodiscard]] ServerOptions options(const std::string& client_ca = "") const {
    return {.tls = {certificate_.certificate, certificate_.private_key, client_ca}};
  }
  [[nodiscard]] RawClient::Tls trusting() const {
    return {.use = true, .ca_file = authority_.certificate_file()};
  }
  static std::string failure(const TlsFiles& files) {
    try {
      RunningServer server({.tls = files});
      return "";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  TemporaryDirectory directory_;
  CertificateAuthority authority_{directory_.path()};
  CertificateFiles certificate_ = authority_.issue("server", {.addresses = {"127.0.0.1"}});
};

TEST_F(EndpointTlsTest, ServesHttps) {
  RunningServer server(options());
  EXPECT_EQ(server.url(), "https://127.0.0.1:" + std::to_string(server.port()));
  RawClient client(server.port(), trusting());
  ASSERT_TRUE(client.connected());
  for (int requests = 0; requests < 3; ++requests) {
    client.send(request("PUT", "/things/t/jobs/$next", "{}"));
    EXPECT_EQ(body_of(client.read_answer()), "{}");
  }
}

TEST_F(EndpointTlsTest, OldTlsIsRefused) {
  RunningServer server(options());
  RawClient::Tls old = trusting();
  old.only_tls_1_1 = true;
  EXPECT_FALSE(RawClient(server.port(), old).connected());
}

TEST_F(EndpointTlsTest, ClientWithoutACertificateIsRefusedWhereOneIsDemanded) {
  RunningServer server(options(authority_.certificate_file()));
  // TLS 1.3 lets a client believe that it is connected until it reads.
  RawClient stranger(server.port(), trusting());
  stranger.send(request("GET", "/things/t/jobs"));
  EXPECT_EQ(stranger.read_answer(), "");

  RawClient::Tls known = trusting();
  known.certificate = authority_.issue("client", {.common_name = "gateway"});
  for (int connections = 0; connections < 2; ++connections) {
    RawClient client(server.port(), known);
    client.send(request("GET", "/things/t/jobs"));
    EXPECT_EQ(status_of(client.read_answer()), 200);
  }
}

TEST_F(EndpointTlsTest, ClientOfAnotherAuthorityIsRefused) {
  TemporaryDirectory elsewhere;
  const CertificateAuthority other(elsewhere.path(), "other");
  RunningServer server(options(authority_.certificate_file()));
  RawClient::Tls foreign = trusting();
  foreign.certificate = other.issue("client", {.common_name = "gateway"});
  RawClient client(server.port(), foreign);
  client.send(request("GET", "/things/t/jobs"));
  EXPECT_EQ(client.read_answer(), "");
}

TEST_F(EndpointTlsTest, IdleCloseSendsCloseNotifyAndTruncationDoesNot) {
  RunningServer server(options());
  for (const bool orderly : {true, false}) {
    RawClient control(server.port(), trusting());
    control.send(request("PUT", "/_faults",
                         orderly ? R"({"kind":"close_idle"})" : R"({"kind":"truncate"})"));
    ASSERT_EQ(status_of(control.read_answer()), 200);
    RawClient client(server.port(), trusting());
    client.send(request("GET", "/things/t/jobs"));
    client.read_all();
    EXPECT_EQ(client.got_close_notify(), orderly);
  }
}

TEST_F(EndpointTlsTest, ResetAndHangWorkUnderTls) {
  RunningServer server(options());
  RawClient control(server.port(), trusting());
  control.send(request("PUT", "/_faults", R"({"kind":"reset"})"));
  control.read_answer();
  RawClient reset(server.port(), trusting());
  reset.send(request("GET", "/things/t/jobs"));
  EXPECT_EQ(reset.read_all(), "");
  EXPECT_EQ(reset.end(), End::reset);
  control.send(request("PUT", "/_faults", R"({"kind":"hang"})"));
  control.read_answer();
  RawClient hanging(server.port(), trusting());
  hanging.send(request("GET", "/things/t/jobs"));
  EXPECT_EQ(hanging.read_all(std::chrono::milliseconds(200)), "");
  EXPECT_EQ(hanging.end(), End::timed_out);
}

TEST_F(EndpointTlsTest, PlainHttpToATlsPortHarmsNobodyElse) {
  RunningServer server(options());
  RawClient plain(server.port());
  plain.send(request("GET", "/things/t/jobs"));
  plain.read_all();
  RawClient client(server.port(), trusting());
  client.send(request("GET", "/things/t/jobs"));
  EXPECT_EQ(status_of(client.read_answer()), 200);
}

TEST_F(EndpointTlsTest, UnusableFileIsNamed) {
  const std::string missing = directory_.file("missing.pem");
  EXPECT_THAT(failure({missing, certificate_.private_key}), HasSubstr(missing));
  EXPECT_THAT(failure({certificate_.certificate, missing}), HasSubstr(missing));
  EXPECT_THAT(failure({certificate_.certificate, certificate_.private_key, missing}),
              HasSubstr(missing));
  const std::string garbage = directory_.file("garbage.pem");
  std::ofstream(garbage) << "no certificate";
  EXPECT_THAT(failure({garbage, certificate_.private_key}), HasSubstr(garbage));
}

TEST_F(EndpointTlsTest, KeyOfAnotherCertificateIsRefused) {
  const CertificateFiles other = authority_.issue("other", {.addresses = {"127.0.0.1"}});
  EXPECT_THAT(failure({certificate_.certificate, other.private_key}), HasSubstr(other.private_key));
}

}  // namespace
}  // namespace jobs_endpoint
