#include "adapters/config/unsupported.h"

#include "tests/unit/config/load_fixture.h"

namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class UnsupportedTest : public LoadFixture {};

TEST_F(UnsupportedTest, CredentialsThatNobodyChoseAreRefusedToo) {
  EXPECT_THAT(lines(load_text("endpoint.region = \"eu-central-1\"\n").faults),
              ElementsAre(MatchesRegex("FILE: credentials.source: \"default\" is not supported by "
                                       "version [0-9.]+ yet; set credentials.source = \"none\"")));
}

TEST_F(UnsupportedTest, EverySourceOfCredentialsButNoneIsRefused) {
  for (const char* source : {"default", "environment", "profile", "iot", "container", "instance"}) {
    const auto outcome = load_text(std::string("endpoint.region = \"eu-central-1\"\n"
                                               "credentials.source = \"")
                                       .append(source)
                                       .append("\"\n"));
    ASSERT_EQ(outcome.faults.size(), 1U) << source;
    EXPECT_EQ(outcome.faults[0].line, 2U);
    EXPECT_EQ(outcome.faults[0].key, "credentials.source");
    EXPECT_EQ(outcome.faults[0].remedy, "set credentials.source = \"none\"");
  }
}

TEST_F(UnsupportedTest, AProxyIsRefused) {
  EXPECT_THAT(
      faults_of("endpoint.proxy = \"http://me@proxy:3128\"\n"),
      ElementsAre(MatchesRegex("FILE:3: endpoint.proxy: a proxy is not supported by version .* "
                               "yet; set endpoint.proxy = \"\"")));
}

TEST_F(UnsupportedTest, AnAdminListenerIsAWarningWhenSomebodySetsIt) {
  EXPECT_THAT(
      warnings_of("admin.listen = \"127.0.0.1:9464\"\n"),
      ElementsAre(MatchesRegex("FILE:3: admin.listen: has no effect in version .*; leave it out")));
  EXPECT_THAT(warnings_of("admin.listen = \"\"\n"), IsEmpty());
  EXPECT_THAT(warnings_of(""), IsEmpty());
}

}  // namespace
}  // namespace jobs_bridge::config
