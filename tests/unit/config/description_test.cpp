#include "adapters/config/description.h"

#include "tests/unit/config/load_fixture.h"

namespace jobs_bridge::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DescriptionTest : public LoadFixture {
 protected:
  std::string description_of(std::string_view text) {
    const auto outcome = load_more(text);
    EXPECT_THAT(lines(outcome.faults), ::testing::IsEmpty());
    if (!outcome.configuration) return {};
    const auto description = describe(*outcome.configuration);
    return "broker " + description.broker + "; endpoint " + description.endpoint + "; journal " +
           description.journal + "; notifications " + description.notifications;
  }
};

TEST_F(DescriptionTest, NamesBrokerTopicsEndpointAndThatThereIsNoJournal) {
  EXPECT_EQ(
      description_of(""),
      "broker mqtt://127.0.0.1:1883 as jobs-bridge (MQTT 5), topics $aws/things/{thing}/jobs; "
      "endpoint https://data.jobs.iot.eu-central-1.amazonaws.com:443, unsigned, at most 32 "
      "connections; journal off; notifications polls every 1min (15min for silent devices) with "
      "at most 0.5 of 200 reads a second for at most 100000 things that asked in the last 30d, "
      "kept in memory only");
}

TEST_F(DescriptionTest, Ipv6ShareGroupAndPartitionAreInIt) {
  const auto text = description_of(
      "broker.protocol = \"3.1.1\"\nbroker.share_group = \"g\"\nbroker.partition = \"2/3\"\n"
      "topics.base = \"{thing}/jobs\"\nendpoint.url = \"https://[::1]:8443\"\n");
  EXPECT_THAT(text, HasSubstr("(MQTT 3.1.1), topics {thing}/jobs, share group g, partition 2/3; "
                              "endpoint https://[::1]:8443,"));
}

TEST_F(DescriptionTest, NotificationsNameTheirBoundsAndWhereTheyAreKept) {
  EXPECT_THAT(description_of("notify.enabled = false\n"),
              ::testing::EndsWith("; notifications off"));
  const auto path = directory_.path("watched");
  EXPECT_THAT(
      description_of("limits.reads_per_second = 0\nnotify.idle_interval = \"1s\"\n"
                     "notify.interval = \"1500ms\"\nnotify.watch_for = \"36h\"\n"
                     "notify.max_things = 5\nnotify.things = [\"a\", \"b\"]\nnotify.path = \"" +
                     path + "\"\n"),
      ::testing::EndsWith("; notifications polls every 1500ms for at most 5 things that asked in "
                          "the last 36h, 2 of them always, kept in " +
                          path));
}

TEST_F(DescriptionTest, HoldsNeitherUsernameNorPasswordNorTheirFiles) {
  const auto secret = directory_.write("password-is-here", "hunter2");
  const auto text =
      description_of("broker.username = \"alice\"\nbroker.password_file = \"" + secret + "\"\n");
  EXPECT_THAT(text, HasSubstr("with a username and a password"));
  EXPECT_THAT(text, Not(HasSubstr("alice")));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, Not(HasSubstr("password-is-here")));
}

}  // namespace
}  // namespace jobs_bridge::config
