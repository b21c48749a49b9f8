#include "adapters/config/unsupported.h"

#include "tests/unit/config/load_fixture.h"

namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class UnsupportedTest : public LoadFixture {};

TEST_F(UnsupportedTest, AnAdminListenerIsAWarningWhenSomebodySetsIt) {
  EXPECT_THAT(
      warnings_of("admin.listen = \"127.0.0.1:9464\"\n"),
      ElementsAre(MatchesRegex("FILE:3: admin.listen: has no effect in version .*; leave it out")));
  EXPECT_THAT(warnings_of("admin.listen = \"\"\n"), IsEmpty());
  EXPECT_THAT(warnings_of(""), IsEmpty());
}

}  // namespace
}  // namespace jobs_bridge::config
