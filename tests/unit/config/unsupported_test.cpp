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

TEST_F(UnsupportedTest, ProxyAndJournalAreRefused) {
  EXPECT_THAT(
      faults_of("endpoint.proxy = \"http://me@proxy:3128\"\njournal.path = \"journal\"\n"),
      ElementsAre(MatchesRegex("FILE:3: endpoint.proxy: a proxy is not supported by version .* "
                               "yet; set endpoint.proxy = \"\""),
                  MatchesRegex("FILE:4: journal.path: the journal is not supported by version .* "
                               "yet; set journal.path = \"\"")));
}

TEST_F(UnsupportedTest, LimitsThatAreNotKeptAreWarningsWhenSomebodySetsThem) {
  EXPECT_THAT(
      warnings_of("admin.listen = \"127.0.0.1:9464\"\nlimits.reads_per_second = 200\n"
                  "limits.writes_per_second = 100\n"),
      ElementsAre(
          MatchesRegex("FILE:3: admin.listen: has no effect in version .*; leave it out"),
          MatchesRegex(
              "FILE:4: limits.reads_per_second: has no effect in version .*; leave it out"),
          MatchesRegex(
              "FILE:5: limits.writes_per_second: has no effect in version .*; leave it out")));
  EXPECT_THAT(warnings_of(""), IsEmpty());
}

TEST_F(UnsupportedTest, LimitOfReadsHasAnEffectOnPolls) {
  EXPECT_THAT(warnings_of("notify.enabled = true\nlimits.reads_per_second = 200\n"), IsEmpty());
}

TEST_F(UnsupportedTest, TurningThemOffIsNoWarning) {
  EXPECT_THAT(warnings_of("admin.listen = \"\"\nlimits.reads_per_second = 0\n"
                          "limits.writes_per_second = 0\n"),
              IsEmpty());
}

}  // namespace
}  // namespace jobs_bridge::config
