#include "tests/unit/config/load_fixture.h"

/// Values that are wrong by themselves, as an operator reads about them.
namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ValueFaultsTest : public LoadFixture {
 protected:
  /// Each line is at fault by itself, and the fault begins like this.
  void expect_faults(std::string_view key, const std::vector<std::string>& values,
                     std::string_view fault) {
    for (const auto& value : values) {
      const auto line = std::string(key).append(" = ").append(value).append("\n");
      EXPECT_THAT(
          faults_of(line),
          ElementsAre(StartsWith(std::string("FILE:3: ").append(key).append(": ").append(fault))))
          << line;
    }
  }

  void expect_good(std::string_view key, const std::vector<std::string>& values) {
    for (const auto& value : values) {
      const auto line = std::string(key).append(" = ").append(value).append("\n");
      EXPECT_THAT(faults_of(line), IsEmpty()) << line;
    }
  }
};

TEST_F(ValueFaultsTest, DurationSaysWhatItShouldBe) {
  EXPECT_THAT(
      faults_of("limits.deadline = \"8\"\n"),
      ElementsAre("FILE:3: limits.deadline: \"8\" is not a duration; expected 10ms to 5min: "
                  "a whole number with a unit (ms, s, min, h or d); did you mean \"8s\"?"));
  EXPECT_THAT(faults_of("limits.deadline = \"8 S\"\n"),
              ElementsAre(::testing::EndsWith("did you mean \"8s\"?")));
  EXPECT_THAT(faults_of("limits.deadline = \"soon\"\n"),
              ElementsAre(::testing::EndsWith("(ms, s, min, h or d)")));
  EXPECT_THAT(
      faults_of("limits.deadline = \"1d\"\n"),
      ElementsAre("FILE:3: limits.deadline: \"1d\" is out of range; expected 10ms to 5min"));
  EXPECT_THAT(faults_of("broker.keep_alive = \"1500ms\"\n"),
              ElementsAre("FILE:3: broker.keep_alive: \"1500ms\" is out of range; expected 1s to "
                          "1h in steps of 1s"));
}

TEST_F(ValueFaultsTest, EveryDurationIsPositiveAndSensible) {
  for (const char* key : {"broker.session_expiry", "broker.keep_alive", "endpoint.connect_timeout",
                          "endpoint.answer_timeout", "limits.deadline", "journal.max_age",
                          "notify.interval", "notify.idle_interval", "notify.watch_for"}) {
    expect_faults(key, {"\"0s\"", "\"1ms\"", "\"366d\""}, "\"");
    expect_faults(key, {"\"-1s\"", "\"fast\"", "\"\""}, "\"");
  }
}

TEST_F(ValueFaultsTest, SizeSaysWhatItShouldBe) {
  EXPECT_THAT(
      faults_of("limits.max_payload = \"128\"\n"),
      ElementsAre("FILE:3: limits.max_payload: \"128\" is not a size; expected 1KiB to 16MiB: a "
                  "whole number with a unit (B, KB, MB, GB, KiB, MiB or GiB); did you mean "
                  "\"128B\"?"));
  EXPECT_THAT(faults_of("limits.max_payload = \"128kb\"\n"),
              ElementsAre(::testing::EndsWith("did you mean \"128KB\"?")));
  expect_faults("limits.max_payload", {"\"1023B\"", "\"17MiB\"", "\"0B\""}, "\"");
  expect_good("limits.max_payload", {"\"1KiB\"", "\"16MiB\"", "\"100KB\""});
}

TEST_F(ValueFaultsTest, IntegerStaysInItsRange) {
  EXPECT_THAT(faults_of("endpoint.connections = 4097\n"),
              ElementsAre("FILE:3: endpoint.connections: \"4097\" is not a whole number in range; "
                          "expected 1 to 4096"));
  expect_faults("endpoint.connections", {"0", "-1", "9223372036854775807"}, "\"");
  expect_good("endpoint.connections", {"1", "4096"});
  expect_faults("limits.queue", {"0", "1000001"}, "\"");
  expect_faults("notify.max_things", {"0", "1000001"}, "\"");
  expect_faults("limits.reads_per_second", {"-1", "1000001"}, "\"");
  expect_good("limits.writes_per_second", {"0", "1000000"});
}

TEST_F(ValueFaultsTest, ShareIsAboveZeroAndAtMostOne) {
  expect_faults("notify.quota_share", {"0", "0.0", "-0.5", "1.1", "2", "nan", "inf"}, "\"");
  expect_good("notify.quota_share", {"1", "1.0", "0.001"});
}

TEST_F(ValueFaultsTest, ChoiceNamesTheOthersAndTheNearest) {
  EXPECT_THAT(faults_of("broker.protocol = \"3.1\"\n"),
              ElementsAre("FILE:3: broker.protocol: \"3.1\" is not a known value; expected \"5\" "
                          "or \"3.1.1\"; did you mean \"3.1.1\"?"));
  EXPECT_THAT(
      faults_of("log.level = \"loud\"\n"),
      ElementsAre(
          "FILE:3: log.level: \"loud\" is not a known value; expected \"trace\", \"debug\", "
          "\"info\", \"warning\" or \"error\""));
  EXPECT_THAT(
      faults_of("log.format = \"xml\"\n"),
      ElementsAre(
          "FILE:3: log.format: \"xml\" is not a known value; expected \"text\" or \"json\""));
}

TEST_F(ValueFaultsTest, ChoicesAreTakenInAnyCaseAndByWhatElsePeopleCallThem) {
  expect_good("log.level", {"\"warn\"", "\"WARN\"", "\"Warning\"", "\"INFO\"", "\"err\""});
  expect_good("log.format", {"\"JSON\""});
  expect_good("broker.protocol", {"\"v5\"", "\"5.0\"", "\"MQTTv5\"", "\"311\"", "\"v3.1.1\""});
  const auto outcome = load_more("log.level = \"warn\"\nbroker.protocol = \"mqttv311\"\n");
  ASSERT_TRUE(outcome.configuration);
  EXPECT_EQ(outcome.configuration->log.level, Severity::warning);
  EXPECT_EQ(outcome.configuration->broker.protocol, MqttProtocol::v3_1_1);
}

TEST_F(ValueFaultsTest, UrlSaysWhatIsWrongAndNeverRepeatsIt) {
  EXPECT_THAT(faults_of("endpoint.url = \"https://a.example.com/things\"\n"),
              ElementsAre("FILE:3: endpoint.url: has a path, a query or a fragment; expected "
                          "http://host[:port] or https://host[:port]"));
  EXPECT_THAT(faults_of("broker.url = \"mqtts://me:hunter2@a\"\n"),
              ElementsAre("FILE:3: broker.url: contains a user name or a password; expected "
                          "mqtt://host[:port] or mqtts://host[:port]"));
  expect_faults("broker.url", {"\"http://a\"", "\"127.0.0.1\"", "\"\""},
                "does not start with mqtt:// or mqtts://");
  expect_faults("endpoint.url", {"\"https://a?b=c\""}, "has a path, a query or a fragment");
  expect_faults("endpoint.url", {"\"https://a.{thing}.b\"", "\"https://a.{Region}.b\""},
                "has a host that is neither a DNS name nor an IP address");
  expect_faults("endpoint.proxy", {"\"http://me:hunter2@a:80\""}, "contains a password");
  expect_faults("endpoint.proxy", {"\"https://a:80\""}, "does not start with http://");
}

TEST_F(ValueFaultsTest, RegionThatCanBeNoPartOfAHostNameIsRefused) {
  for (const char* region : {"EU-central-1", "eu central", "eu-central-1.evil.example.com", "-a",
                             "a-", "a/b", "eu_central_1"}) {
    const auto outcome =
        load_text(std::string("credentials.source = \"none\"\nendpoint.region = \"")
                      .append(region)
                      .append("\"\n"));
    EXPECT_THAT(lines(outcome.faults), ElementsAre(StartsWith("FILE:2: endpoint.region: ")))
        << region;
  }
}

TEST_F(ValueFaultsTest, PartitionIsIndexOfCount) {
  EXPECT_THAT(
      faults_of("broker.partition = \"3/2\"\n"),
      ElementsAre("FILE:3: broker.partition: \"3/2\" is not a partition; expected i/n, or a range "
                  "i-j/n, with 1 <= i <= j <= n <= 1000, such as \"2/3\" or \"1-250/1000\""));
  expect_faults("broker.partition", {"\"\"",
                                     "\"1\"",
                                     "\"/\"",
                                     "\"1/\"",
                                     "\"/1\"",
                                     "\"0/1\"",
                                     "\"0/0\"",
                                     "\"1/1001\"",
                                     "\"-1/2\"",
                                     "\"1/2/3\"",
                                     "\"1 / 2\"",
                                     "\"a/b\"",
                                     "\"1/4294967297\"",
                                     "\"2-1/3\"",
                                     "\"1-4/3\"",
                                     "\"0-1/3\"",
                                     "\"-/3\"",
                                     "\"1-/3\"",
                                     "\"-1/3\"",
                                     "\"1-2-3/3\"",
                                     "\"1-2/\"",
                                     "\"1 -2/3\"",
                                     "\"1-2/1001\""},
                "\"");
  expect_good("broker.partition",
              {"\"1/1\"", "\"1000/1000\"", "\"1-250/1000\"", "\"1-1000/1000\""});
}

TEST_F(ValueFaultsTest, ClientIdHasOneToAHundredAndTwentyEightBytes) {
  const std::string longest(128, 'x');
  expect_good("broker.client_id", {"\"x\"", "\"" + longest + "\""});
  expect_faults("broker.client_id", {"\"\"", "\"" + longest + "x\""}, "\"");
}

TEST_F(ValueFaultsTest, ShareGroupHoldsNothingThatMeansSomethingInATopic) {
  EXPECT_THAT(faults_of("broker.share_group = \"a/b\"\n"),
              ElementsAre("FILE:3: broker.share_group: \"a/b\" is not valid; expected at most 128 "
                          "bytes without '/', '+' and '#'"));
  expect_faults("broker.share_group", {"\"+\"", "\"a#\""}, "\"");
  expect_faults("broker.share_group", {"\"a\\u0000\""}, "contains a control character");
}

TEST_F(ValueFaultsTest, BaseIsCheckedAsTopicsAre) {
  EXPECT_THAT(faults_of("topics.base = \"things/jobs\"\n"),
              ElementsAre("FILE:3: topics.base: \"things/jobs\" must contain the level {thing} "
                          "exactly once; expected a topic without wildcards, one level of which is "
                          "{thing}, such as \"$aws/things/{thing}/jobs\""));
  expect_faults("topics.base", {"\"\"", "\"a/{thing}/{thing}\"", "\"a/+/{thing}\"", "\"{thing}/\""},
                "\"");
  expect_good("topics.base", {"\"{thing}\"", "\"site/7/{thing}/jobs\""});
}

TEST_F(ValueFaultsTest, BaseHasAtMostAThousandBytesAndAHundredLevels) {
  const auto with = [](const std::string& before) { return "\"" + before + "{thing}\""; };
  const std::string longest = std::string(1016, 'x') + "/";
  std::string deepest;
  for (int i = 0; i < 99; ++i) deepest += "x/";
  expect_good("topics.base", {with(longest), with(deepest)});
  EXPECT_THAT(faults_of("topics.base = " + with("x" + longest) + "\n"),
              ElementsAre(::testing::EndsWith(
                  "...\" is too long; expected at most 1024 bytes and 100 levels")));
  EXPECT_THAT(
      faults_of("topics.base = " + with("x/" + deepest) + "\n"),
      ElementsAre(::testing::EndsWith(" is too long; expected at most 1024 bytes and 100 levels")));
}

TEST_F(ValueFaultsTest, ListenAddressIsHostAndPort) {
  EXPECT_THAT(
      faults_of("admin.listen = \"9464\"\n"),
      ElementsAre(
          "FILE:3: admin.listen: \"9464\" has a host that is neither a DNS name nor an IP address; "
          "expected host:port, such as \"127.0.0.1:9464\", or \"\" to turn it off"));
  expect_faults("admin.listen", {"\"127.0.0.1\"", "\"127.0.0.1:70000\"", "\":9464\""}, "\"");
  expect_good("admin.listen", {"\"\"", "\"[::1]:9464\"", "\"127.0.0.1:0\""});
}

TEST_F(ValueFaultsTest, NamesForIotCredentialsAreChecked) {
  expect_faults("credentials.iot_endpoint", {"\"https://a\"", "\"a b\""}, "\"");
  expect_faults("credentials.iot_role_alias", {"\"a b\"", "\"a/b\""}, "\"");
  expect_faults("credentials.iot_thing_name", {"\"a b\"", "\"a/b\""}, "\"");
  expect_faults("credentials.profile", {"\"\"", "\"a]\""}, "\"");
  expect_good("credentials.iot_endpoint",
              {"\"\"", "\"c1.credentials.iot.eu-central-1.amazonaws.com\""});
}

TEST_F(ValueFaultsTest, FileThatCannotBeReadIsNamedWithTheCause) {
  for (const char* key : {"broker.ca_file", "endpoint.ca_file", "credentials.credentials_file"}) {
    expect_faults(
        key, {"\"" + directory_.path("none") + "\""},
        directory_.path("none") + " does not exist; expected a file that the bridge can read");
    expect_faults(key, {"\"" + directory_.path("") + "\""},
                  directory_.path("") + " is a directory");
  }
  const auto outcome = load_more("broker.username = \"me\"\nbroker.password_file = \"" +
                                 directory_.write("empty", "\n") + "\"\n");
  EXPECT_THAT(lines(outcome.faults),
              ElementsAre("FILE:4: broker.password_file: " + directory_.path("empty") +
                          " is empty; expected a file with one line, the password"));
}

}  // namespace
}  // namespace jobs_bridge::config
