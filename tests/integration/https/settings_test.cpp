#include <filesystem>
#include <fstream>

#include "tests/integration/https/client.h"
#include "tests/support/certificates.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::https {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::CertificateAuthority;
using testing_support::CertificateFiles;
using testing_support::TemporaryDirectory;

class HttpsSettingsTest : public ::testing::Test {
 protected:
  HttpsSettingsTest() { settings_.host = "name.test"; }

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(directory_.file(name)) << content;
    return directory_.file(name);
  }
  /// Why the settings are refused; empty: they are not.
  std::string refusal() {
    const auto opened = open_endpoint(settings_, log_);
    return opened ? std::string() : opened.error();
  }

  TemporaryDirectory directory_;
  CertificateAuthority authority_{directory_.path()};
  EndpointSettings settings_;
  SilentLog log_;
};

TEST_F(HttpsSettingsTest, DefaultsWithAHostOpen) {
  EXPECT_EQ(refusal(), "");
}

TEST_F(HttpsSettingsTest, SystemWithoutAuthoritiesIsWarnedOf) {
  class WarningLog final : public Log {
   public:
    bool enabled(Severity) const override { return true; }
    void write(Severity severity, std::string_view event, std::initializer_list<Field>) override {
      if (severity == Severity::warning) warnings.emplace_back(event);
    }
    std::vector<std::string> warnings;
  } log;
  ASSERT_TRUE(open_endpoint(settings_, log));
  const auto without = log.warnings.size();
  setenv("SSL_CERT_FILE", directory_.file("none").c_str(), 1);
  setenv("SSL_CERT_DIR", directory_.file("none").c_str(), 1);
  const auto opened = open_endpoint(settings_, log);
  unsetenv("SSL_CERT_FILE");
  unsetenv("SSL_CERT_DIR");
  ASSERT_TRUE(opened);
  ASSERT_EQ(log.warnings.size(), without + 1);
  EXPECT_THAT(log.warnings.back(), HasSubstr("ca_file"));
}

TEST_F(HttpsSettingsTest, MissingCaFileIsNamed) {
  settings_.ca_file = directory_.file("missing.pem");
  EXPECT_EQ(refusal(), "ca_file " + settings_.ca_file + ": No such file or directory");
}

TEST_F(HttpsSettingsTest, DirectoryAsCaFileIsNamed) {
  settings_.ca_file = directory_.path().string();
  EXPECT_EQ(refusal(), "ca_file " + settings_.ca_file + ": Is a directory");
}

TEST_F(HttpsSettingsTest, EmptyCaFileIsNamed) {
  settings_.ca_file = write("nothing.pem", "");
  EXPECT_THAT(refusal(), AllOf(HasSubstr(settings_.ca_file), HasSubstr("empty")));
}

TEST_F(HttpsSettingsTest, CaFileWithoutCertificateIsNamed) {
  settings_.ca_file = write("text.pem", "this is no certificate\n");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("ca_file " + settings_.ca_file), HasSubstr("PEM")));
}

TEST_F(HttpsSettingsTest, CaFileWithABrokenCertificateIsNamed) {
  settings_.ca_file =
      write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(refusal(), HasSubstr("ca_file " + settings_.ca_file));
}

TEST_F(HttpsSettingsTest, CertificateAndKeyThatBelongTogetherOpen) {
  const CertificateFiles files = authority_.issue("gateway", {.common_name = "gateway"});
  settings_.certificate_file = files.certificate;
  settings_.private_key_file = files.private_key;
  EXPECT_EQ(refusal(), "");
}

TEST_F(HttpsSettingsTest, KeyOfAnotherCertificateIsNamed) {
  settings_.certificate_file = authority_.issue("one", {.common_name = "one"}).certificate;
  settings_.private_key_file = authority_.issue("two", {.common_name = "two"}).private_key;
  EXPECT_EQ(refusal(), "private_key_file " + settings_.private_key_file +
                           ": the key does not belong to certificate_file " +
                           settings_.certificate_file);
}

TEST_F(HttpsSettingsTest, CertificateWithoutKeyIsRefused) {
  settings_.certificate_file = authority_.issue("one", {.common_name = "one"}).certificate;
  EXPECT_THAT(refusal(), HasSubstr("private_key_file is not"));
}

TEST_F(HttpsSettingsTest, KeyWithoutCertificateIsRefused) {
  settings_.private_key_file = authority_.issue("one", {.common_name = "one"}).private_key;
  EXPECT_THAT(refusal(), HasSubstr("certificate_file is not"));
}

TEST_F(HttpsSettingsTest, MissingKeyFileIsNamed) {
  settings_.certificate_file = authority_.issue("one", {.common_name = "one"}).certificate;
  settings_.private_key_file = directory_.file("missing.key");
  EXPECT_EQ(refusal(),
            "private_key_file " + settings_.private_key_file + ": No such file or directory");
}

TEST_F(HttpsSettingsTest, MissingCertificateFileIsNamed) {
  settings_.private_key_file = authority_.issue("one", {.common_name = "one"}).private_key;
  settings_.certificate_file = directory_.file("missing.crt");
  EXPECT_EQ(refusal(),
            "certificate_file " + settings_.certificate_file + ": No such file or directory");
}

TEST_F(HttpsSettingsTest, FilesTheWrongWayRoundAreNamed) {
  const CertificateFiles files = authority_.issue("one", {.common_name = "one"});
  settings_.certificate_file = files.private_key;
  settings_.private_key_file = files.certificate;
  EXPECT_THAT(refusal(), HasSubstr("certificate_file " + files.private_key));
}

TEST_F(HttpsSettingsTest, GarbageAsKeyIsNamed) {
  settings_.certificate_file = authority_.issue("one", {.common_name = "one"}).certificate;
  settings_.private_key_file = write("garbage.key", "garbage\n");
  EXPECT_THAT(refusal(),
              HasSubstr("private_key_file " + settings_.private_key_file + ": not a PEM"));
}

TEST_F(HttpsSettingsTest, EncryptedKeyIsRefusedWithoutAsking) {
  const CertificateFiles files = authority_.issue("one", {.common_name = "one"});
  settings_.certificate_file = files.certificate;
  settings_.private_key_file = directory_.file("locked.key");
  testing_support::encrypt_private_key(files.private_key, settings_.private_key_file, "secret");
  EXPECT_THAT(refusal(), ::testing::StartsWith("private_key_file " + settings_.private_key_file +
                                               ": the key is encrypted, which is not supported"));
}

TEST_F(HttpsSettingsTest, HostThatCouldSplitAHeaderIsRefused) {
  for (const char* const host : {"", "a b", "a\r\nX: y", "a/b", "user@a"}) {
    settings_.host = host;
    EXPECT_THAT(refusal(), HasSubstr("host")) << host;
  }
}

TEST_F(HttpsSettingsTest, ValuesThatMakeNoSenseAreNamed) {
  const auto with = [&](auto change) {
    EndpointSettings changed = settings_;
    change(changed);
    const auto opened = open_endpoint(changed, log_);
    return opened ? std::string() : opened.error();
  };
  EXPECT_THAT(with([](auto& s) { s.port = 0; }), HasSubstr("port"));
  EXPECT_THAT(with([](auto& s) { s.connect_timeout = 0s; }), HasSubstr("connect_timeout"));
  EXPECT_THAT(with([](auto& s) { s.answer_timeout = -1s; }), HasSubstr("answer_timeout"));
  EXPECT_THAT(with([](auto& s) { s.max_answer_bytes = 0; }), HasSubstr("max_answer_bytes"));
  EXPECT_THAT(with([](auto& s) { s.proxy.host = "proxy"; }), HasSubstr("proxy.port"));
}

}  // namespace
}  // namespace jobs_bridge::https
