#include "bridge/flow/partition.h"
#include "tests/unit/config/load_fixture.h"

/// One file for several instances: placeholders, partitions, and several addresses of a broker.
namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SeveralInstancesTest : public LoadFixture {
 protected:
  LoadOutcome on_host(const std::string& host, std::string_view text) {
    path_ = directory_.write("bridge.toml", std::string(least).append(text));
    return load(path_, {}, {}, host);
  }
  std::vector<std::string> faults_on(const std::string& host, std::string_view text) {
    const auto outcome = on_host(host, text);
    EXPECT_EQ(outcome.configuration.has_value(), outcome.faults.empty());
    return lines(outcome.faults);
  }
  std::string partition_on(const std::string& host, std::string_view text) {
    const auto outcome = on_host(host, text);
    EXPECT_THAT(lines(outcome.faults), IsEmpty());
    EXPECT_THAT(lines(outcome.warnings), IsEmpty());
    return outcome.configuration ? to_string(outcome.configuration->broker.partition) : "";
  }
  static std::vector<std::string> addresses(const LoadOutcome& outcome) {
    std::vector<std::string> texts;
    if (!outcome.configuration) return texts;
    for (const auto& url : outcome.configuration->broker.urls) texts.push_back(address_of(url));
    return texts;
  }
};

TEST_F(SeveralInstancesTest, HostnameAndOrdinalAreReplacedInClientIdPartitionAndPaths) {
  const auto journal = directory_.path("journal-{ordinal}");
  const auto outcome =
      on_host("jobs-bridge-3.jobs-bridge.default.svc",
              "broker.client_id = \"{hostname}/{ordinal}\"\nbroker.partition = \"{ordinal}/4\"\n"
              "journal.path = \"" +
                  journal + "\"\n");
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
  ASSERT_TRUE(outcome.configuration);
  EXPECT_EQ(outcome.configuration->broker.client_id, "jobs-bridge-3.jobs-bridge.default.svc/3");
  EXPECT_EQ(to_string(outcome.configuration->broker.partition), "4/4");
  EXPECT_EQ(outcome.configuration->journal.path, directory_.path("journal-3"));
}

TEST_F(SeveralInstancesTest, PlaceholdersCountInOverridesToo) {
  path_ = directory_.write("bridge.toml", least);
  const auto outcome = load(path_, {"broker.client_id=b-{ordinal}"},
                            {"JOBS_BRIDGE_BROKER_PARTITION={ordinal}/2"}, "pod-1");
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
  ASSERT_TRUE(outcome.configuration);
  EXPECT_EQ(outcome.configuration->broker.client_id, "b-1");
  EXPECT_EQ(to_string(outcome.configuration->broker.partition), "2/2");
}

TEST_F(SeveralInstancesTest, OrdinalsOfAllPodsGiveEveryPartOnce) {
  const std::string text = "broker.partition = \"{ordinal}/3\"\n";
  EXPECT_EQ(partition_on("bridge-0", text), "1/3");
  EXPECT_EQ(partition_on("bridge-1", text), "2/3");
  EXPECT_EQ(partition_on("bridge-2", text), "3/3");
  EXPECT_THAT(faults_on("bridge-3", text),
              ElementsAre(HasSubstr("FILE:3: broker.partition: \"4/3\" is not a partition; ")));
}

TEST_F(SeveralInstancesTest, AHostWithoutAnOrdinalIsNamedAsTheCause) {
  for (const char* host : {"gateway", "gateway7", "gw-", "gw-7a", "a-1-b", "gw-99999999999", ""}) {
    EXPECT_THAT(
        faults_on(host, "broker.client_id = \"b-{ordinal}\"\n"),
        ElementsAre(
            "FILE:3: broker.client_id: needs the host's ordinal, but the host name \"" +
            std::string(host) +
            "\" does not end in '-' and a number; use a host name such as \"jobs-bridge-0\", as "
            "the pods of a StatefulSet have, or a value that does not need the ordinal"));
  }
  EXPECT_THAT(faults_on("gateway", "broker.partition = \"{ordinal}/3\"\n"),
              ElementsAre(HasSubstr("broker.partition: needs the host's ordinal")));
}

TEST_F(SeveralInstancesTest, AnUnknownPlaceholderIsAFault) {
  EXPECT_THAT(faults_on("pod-1", "broker.client_id = \"b-{ordnal}\"\n"),
              ElementsAre("FILE:3: broker.client_id: contains the unknown placeholder "
                          "\"{ordnal}\"; expected {hostname} or {ordinal}"));
  EXPECT_THAT(faults_on("pod-1", "broker.client_id = \"{}{ {A}{ordinal\"\n"), IsEmpty());
}

TEST_F(SeveralInstancesTest, OfAListOfPartitionsTheOneOfTheOrdinalCounts) {
  const std::string text =
      "broker.partition = [\"1-200/1000\", \"201-900/1000\",\n \"901-1000/1000\"]\n";
  EXPECT_EQ(partition_on("bridge-0", text), "1-200/1000");
  EXPECT_EQ(partition_on("bridge-2", text), "901-1000/1000");
  EXPECT_THAT(
      faults_on("bridge-3", text),
      ElementsAre("FILE:3: broker.partition: has 3 elements, for the ordinals 0 to 2, but the host "
                  "name \"bridge-3\" has ordinal 3; add an element for each instance"));
  EXPECT_THAT(faults_on("gateway", text),
              ElementsAre(HasSubstr("broker.partition: is a list, which needs the host's ordinal, "
                                    "but the host name \"gateway\" does not end")));
  EXPECT_EQ(partition_on("gateway", "broker.partition = [\"2/3\"]\n"), "2/3");
}

TEST_F(SeveralInstancesTest, PartitionsOfAListMustFitTogether) {
  EXPECT_THAT(faults_on("b-0", "broker.partition = [\"1-500/1000\",\n \"500-1000/1000\"]\n"),
              ElementsAre("FILE:4: broker.partition: element 2: \"500-1000/1000\" overlaps element "
                          "1, \"1-500/1000\"; use ranges that do not overlap"));
  EXPECT_THAT(faults_on("b-0", "broker.partition = [\"1/2\", \"2/3\"]\n"),
              ElementsAre("FILE:3: broker.partition: element 2: \"2/3\" has a different n from the "
                          "first element, 2; use the same n in all elements"));
  EXPECT_THAT(faults_on("b-0", "broker.partition = [\"1/2\", \"x\"]\n"),
              ElementsAre(HasSubstr("element 2: \"x\" is not a partition")));
  EXPECT_THAT(faults_on("b-0", "broker.partition = [\"1/2\", \"1/2\"]\n"),
              ElementsAre(HasSubstr("element 2: \"1/2\" overlaps element 1")));
  const auto outcome = on_host("b-0", "broker.partition = [\"1-500/1000\", \"601-1000/1000\"]\n");
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
  EXPECT_THAT(lines(outcome.warnings),
              ElementsAre("FILE:3: broker.partition: leaves some things without an instance: "
                          "501/1000 is in none of its elements; use ranges that cover all things"));
}

TEST_F(SeveralInstancesTest, PartsOfAFewServeTheThingsThatTheyAlwaysServed) {
  // Of things whose FNV-1a hashes, modulo 4, were computed apart.
  const std::pair<const char*, std::uint64_t> things[] = {
      {"a", 0xaf63dc4c8601ec8cU}, {"foobar", 0x85944171f73967e8U}, {"b", 0xaf63df4c8601f1a5U}};
  for (const auto& [thing, hash] : things) {
    ASSERT_EQ(name_hash(thing), hash);
    for (const char* part : {"1/4", "2/4", "3/4", "4/4"}) {
      const auto outcome =
          on_host("h", std::string("broker.partition = \"").append(part).append("\"\n"));
      ASSERT_TRUE(outcome.configuration);
      EXPECT_EQ(outcome.configuration->broker.partition.serves(thing),
                hash % 4 == static_cast<std::uint64_t>(part[0] - '1'))
          << thing << " " << part;
    }
  }
}

TEST_F(SeveralInstancesTest, ABrokerMayHaveSeveralAddressesInEveryLayer) {
  const std::string file = "broker.url = [\"mqtt://a\",\n \"mqtts://[::1]:99\"]\n";
  EXPECT_THAT(addresses(on_host("h", file)), ElementsAre("mqtt://a:1883", "mqtts://[::1]:99"));
  EXPECT_THAT(addresses(load_more(file, {"broker.url=mqtt://c, mqtt://d:5"})),
              ElementsAre("mqtt://c:1883", "mqtt://d:5"));
  EXPECT_THAT(addresses(load_more(file, {}, {"JOBS_BRIDGE_BROKER_URL=mqtt://e,mqtt://f"})),
              ElementsAre("mqtt://e:1883", "mqtt://f:1883"));
  EXPECT_THAT(addresses(load_more(file, {"broker.url=mqtt://c"})), ElementsAre("mqtt://c:1883"));
}

TEST_F(SeveralInstancesTest, FaultsOfAddressesNameTheElement) {
  EXPECT_THAT(faults_of("broker.url = [\"mqtt://a\",\n \"http://b\"]\n"),
              ElementsAre("FILE:4: broker.url: element 2: does not start with mqtt:// or mqtts://; "
                          "expected mqtt://host[:port] or mqtts://host[:port]"));
  EXPECT_THAT(faults_of("broker.url = []\n"),
              ElementsAre("FILE:3: broker.url: is empty; expected mqtt://host[:port] or "
                          "mqtts://host[:port], or a list of these"));
  EXPECT_THAT(warnings_of("broker.url = [\"mqtt://a\", \"mqtt://a\"]\n"),
              ElementsAre(HasSubstr("element 2: \"mqtt://a\" is given more than once")));
  EXPECT_THAT(faults_of("broker.url = [\"mqtts://a\", \"mqtt://b\"]\nbroker.username = \"u\"\n"),
              ElementsAre(HasSubstr("broker.url: would send broker.username and the password in "
                                    "plain text")));
}

}  // namespace
}  // namespace jobs_bridge::config
