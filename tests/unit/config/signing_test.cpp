#include "adapters/config/signing.h"

#include "adapters/config/no_proxy.h"
#include "adapters/config/region.h"
#include "tests/unit/config/load_fixture.h"

namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SigningConfigurationTest : public LoadFixture {
 protected:
  /// The configuration of this text; without one the test fails.
  Configuration good(std::string_view text) {
    const auto outcome = load_text(text);
    EXPECT_THAT(lines(outcome.faults), IsEmpty());
    return outcome.configuration.value_or(Configuration());
  }
  std::string bad(std::string_view text) {
    const auto outcome = load_text(text);
    std::string all;
    for (const auto& line : lines(outcome.faults)) all += line + "\n";
    return all;
  }
  /// Two keys that name a certificate and its key.
  std::string identity(const std::string& section, const std::string& prefix = {}) {
    const auto file = directory_.write(prefix + "identity.pem", "x");
    return section + "." + prefix + "certificate_file = \"" + file + "\"\n" + section + "." +
           prefix + "private_key_file = \"" + file + "\"\n";
  }
};

TEST_F(SigningConfigurationTest, UsualPlacesAreTheDefault) {
  EXPECT_EQ(good("endpoint.region = \"eu-central-1\"\n").credentials.source,
            CredentialSource::standard);
}

TEST_F(SigningConfigurationTest, CertificateTakesThePlaceOfSignaturesOnPort8443) {
  const auto c = good("endpoint.region = \"eu-central-1\"\n" + identity("endpoint"));
  EXPECT_EQ(c.credentials.source, CredentialSource::none);
  EXPECT_EQ(c.endpoint.url.host, "data.jobs.iot.eu-central-1.amazonaws.com");
  EXPECT_EQ(c.endpoint.url.port, 8443);
}

TEST_F(SigningConfigurationTest, CertificateAndAnExplicitSourceMeanBothOnPort443) {
  const auto c = good("endpoint.region = \"eu-central-1\"\ncredentials.source = \"profile\"\n" +
                      identity("endpoint"));
  EXPECT_EQ(c.credentials.source, CredentialSource::profile);
  EXPECT_EQ(c.endpoint.url.port, 443);
}

TEST_F(SigningConfigurationTest, EveryPartitionAndVariantHasItsName) {
  struct Row {
    const char* region;
    EndpointVariant variant;
    const char* url;
  };
  for (const auto& row : {
           Row{"us-gov-west-1", {}, "https://data.jobs.iot.us-gov-west-1.amazonaws.com"},
           Row{"cn-north-1", {}, "https://data.jobs.iot.cn-north-1.amazonaws.com.cn"},
           Row{"us-east-1", {.fips = true}, "https://data.jobs.iot-fips.us-east-1.amazonaws.com"},
           Row{"us-east-1", {.dualstack = true}, "https://data.jobs.iot.us-east-1.api.aws"},
           Row{"cn-north-1",
               {.dualstack = true},
               "https://data.jobs.iot.cn-north-1.api.amazonwebservices.com.cn"},
           Row{"us-east-1",
               {.fips = true, .dualstack = true, .mutual_tls = true},
               "https://data.jobs.iot-fips.us-east-1.api.aws:8443"},
       }) {
    EXPECT_EQ(fill_in_region(aws_endpoint(row.region, row.variant), row.region), row.url);
  }
}

TEST_F(SigningConfigurationTest, FipsAndDualstackShapeTheDefaultUrl) {
  EXPECT_EQ(good("endpoint = {region = \"us-east-1\", fips = true, dualstack = true}\n")
                .endpoint.url.host,
            "data.jobs.iot-fips.us-east-1.api.aws");
}

TEST_F(SigningConfigurationTest, FipsBesideAnUrlIsAWarning) {
  EXPECT_THAT(warnings_of("endpoint.url = \"https://a\"\nendpoint.fips = true\n"),
              ElementsAre(HasSubstr("endpoint.fips: has no effect: endpoint.url is set")));
}

TEST_F(SigningConfigurationTest, RegionIsReadOffAnAccountsOwnEndpoint) {
  const auto c = good("endpoint.url = \"https://abc123.jobs.iot.ap-south-1.amazonaws.com\"\n");
  EXPECT_EQ(c.endpoint.region, "ap-south-1");
  EXPECT_EQ(region_in("x.jobs.iot.cn-north-1.amazonaws.com.cn"), "cn-north-1");
  EXPECT_EQ(region_in("data.jobs.iot-fips.us-east-1.api.aws"), "us-east-1");
  EXPECT_EQ(region_in("example.com"), "");
  EXPECT_EQ(region_in("amazonaws.com"), "");
}

TEST_F(SigningConfigurationTest, SignaturesForAnUnknownRegionAreAFault) {
  EXPECT_THAT(bad("endpoint.url = \"https://example.com\"\n"),
              HasSubstr("endpoint.region: is empty, but requests are signed for a region"));
}

TEST_F(SigningConfigurationTest, IsolatedRegionNeedsAnUrl) {
  EXPECT_THAT(bad("endpoint.region = \"us-iso-east-1\"\n"), HasSubstr("partition"));
}

TEST_F(SigningConfigurationTest, IotNeedsHostAliasAndCertificate) {
  const auto text = bad("endpoint.region = \"eu-central-1\"\ncredentials.source = \"iot\"\n");
  EXPECT_THAT(text, HasSubstr("credentials.iot_endpoint: is empty"));
  EXPECT_THAT(text, HasSubstr("credentials.iot_role_alias: is empty"));
  EXPECT_THAT(text, HasSubstr("credentials.iot_certificate_file: is empty"));
}

TEST_F(SigningConfigurationTest, IotTakesTheEndpointsCertificateWhereItHasNone) {
  const std::string provider =
      "endpoint.region = \"eu-central-1\"\ncredentials.source = \"iot\"\n"
      "credentials.iot_endpoint = \"c1.example.com:8443\"\ncredentials.iot_role_alias = \"a\"\n";
  const auto shared = good(provider + identity("endpoint"));
  EXPECT_EQ(shared.credentials.iot_certificate_file, shared.endpoint.certificate_file);
  EXPECT_EQ(shared.credentials.iot_endpoint->port, 8443);
  const auto own = good(provider + identity("credentials", "iot_"));
  EXPECT_NE(own.credentials.iot_certificate_file, "");
  EXPECT_EQ(own.endpoint.certificate_file, "");
}

TEST_F(SigningConfigurationTest, IotKeysForAnotherSourceAreAWarning) {
  EXPECT_THAT(warnings_of("credentials.iot_role_alias = \"a\"\n"),
              ElementsAre(HasSubstr("credentials.iot_role_alias: has no effect")));
}

TEST_F(SigningConfigurationTest, ProxyWithAUserNeedsAPassword) {
  EXPECT_THAT(faults_of("endpoint.proxy = \"http://me@proxy:3128\"\n"),
              ElementsAre(HasSubstr("names a user, but no password is set")));
  const auto file = directory_.write("password", "x\n");
  EXPECT_THAT(faults_of("endpoint.proxy_password_file = \"" + file + "\"\n"),
              ElementsAre(HasSubstr("endpoint.proxy names no user")));
  EXPECT_THAT(faults_of("endpoint.proxy = \"http://me@proxy:3128\"\n"
                        "endpoint.proxy_password_file = \"" +
                        file + "\"\n"),
              IsEmpty());
}

TEST_F(SigningConfigurationTest, ProxyOfTheEnvironmentThatIsNotUsedIsAWarningWithoutItsPassword) {
  for (const std::string name : {"HTTPS_PROXY", "https_proxy", "ALL_PROXY"}) {
    const auto variable = name + "=http://me:hunter2@proxy:3128";
    const auto warnings = lines(load_more("", {}, {variable, "NO_PROXY=a"}).warnings);
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_THAT(warnings[0],
                HasSubstr("environment " + name +
                          ": is ignored: the bridge takes its proxy from the configuration"));
    EXPECT_EQ(warnings[0].find("hunter2"), std::string::npos);
    EXPECT_THAT(load_more("endpoint.proxy = \"http://proxy:3128\"\n", {}, {variable}).warnings,
                IsEmpty());
    EXPECT_THAT(load_more("endpoint.proxy = \"\"\n", {}, {variable}).warnings, IsEmpty());
  }
  EXPECT_THAT(load_more("", {}, {"HTTPS_PROXY=", "NO_PROXY=a"}).warnings, IsEmpty());
}

TEST_F(SigningConfigurationTest, HostsAndWhatIsBelowADomainAreExemptFromTheProxy) {
  EXPECT_TRUE(is_exempt("a.example.com", {"example.com"}));
  EXPECT_TRUE(is_exempt("A.Example.com", {".example.com"}));
  EXPECT_TRUE(is_exempt("example.com", {"*.example.com"}));
  EXPECT_TRUE(is_exempt("a.example.com.", {"example.com"}));
  EXPECT_TRUE(is_exempt("anything", {"*"}));
  EXPECT_TRUE(is_exempt("192.0.2.1", {"10.0.0.1", "192.0.2.1"}));
  EXPECT_FALSE(is_exempt("badexample.com", {"example.com"}));
  EXPECT_FALSE(is_exempt("com", {"example.com"}));
  EXPECT_FALSE(is_exempt("example.com", {}));
  EXPECT_THAT(faults_of("endpoint.no_proxy = [\"a b\"]\n"), ElementsAre(HasSubstr("a b")));
}

}  // namespace
}  // namespace jobs_bridge::config
