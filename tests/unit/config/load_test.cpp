#include "adapters/config/load.h"

#include <sys/stat.h>

#include "adapters/config/keys.h"
#include "tests/unit/config/load_fixture.h"

namespace jobs_bridge::config {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LoadTest : public LoadFixture {};

TEST_F(LoadTest, DefaultsAreThoseOfTheReference) {
  const auto outcome = load_more("");
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
  EXPECT_THAT(lines(outcome.warnings), IsEmpty());
  ASSERT_TRUE(outcome.configuration);
  const Configuration& c = *outcome.configuration;
  EXPECT_THAT(c.broker.urls, ElementsAre(Url{"mqtt", "", "127.0.0.1", 1883}));
  EXPECT_EQ(c.broker.client_id, "jobs-bridge");
  EXPECT_EQ(c.broker.protocol, MqttProtocol::v5);
  EXPECT_EQ(c.broker.session_expiry, 1h);
  EXPECT_EQ(c.broker.keep_alive, 15s);
  EXPECT_EQ(c.broker.share_group, "");
  EXPECT_TRUE(c.broker.partition.serves_all());
  EXPECT_FALSE(c.broker.allow_plaintext);
  EXPECT_EQ(c.topics.base, "$aws/things/{thing}/jobs");
  EXPECT_EQ(c.endpoint.url, (Url{"https", "", "data.jobs.iot.eu-central-1.amazonaws.com", 443}));
  EXPECT_EQ(c.endpoint.region, "eu-central-1");
  EXPECT_EQ(c.endpoint.connections, 32U);
  EXPECT_EQ(c.endpoint.connect_timeout, 3s);
  EXPECT_EQ(c.endpoint.answer_timeout, 5s);
  EXPECT_FALSE(c.endpoint.proxy);
  EXPECT_EQ(c.credentials.profile, "default");
  EXPECT_EQ(c.limits.deadline, 8s);
  EXPECT_EQ(c.limits.reads_per_second, 200U);
  EXPECT_EQ(c.limits.writes_per_second, 200U);
  EXPECT_EQ(c.limits.queue, 10000U);
  EXPECT_EQ(c.limits.queue_per_thing, 16U);
  EXPECT_EQ(c.limits.max_payload, 128U * 1024U);
  EXPECT_EQ(c.journal.max_size, 64U * 1024U * 1024U);
  EXPECT_EQ(c.journal.max_age, 24h * 7);
  EXPECT_TRUE(c.notify.enabled);
  EXPECT_EQ(c.notify.interval, 60s);
  EXPECT_DOUBLE_EQ(c.notify.quota_share, 0.5);
  EXPECT_EQ(c.notify.idle_interval, 15min);
  EXPECT_EQ(c.notify.watch_for, 24h * 30);
  EXPECT_THAT(c.notify.things, IsEmpty());
  EXPECT_EQ(c.notify.max_things, 100'000U);
  EXPECT_EQ(c.notify.path, "");
  EXPECT_EQ(c.admin.listen, (ListenAddress{"127.0.0.1", 9464}));
  EXPECT_EQ(c.log.level, Severity::info);
  EXPECT_EQ(c.log.format, LogFormat::text);
}

TEST_F(LoadTest, DefaultOfCredentialsIsTheFixedOne) {
  EXPECT_EQ(find_key("credentials.source")->default_value, "default");
}

TEST_F(LoadTest, ValuesOfTheFileCount) {
  const auto outcome = load_text(R"(
[broker]
url = "mqtts://broker.example.com"
protocol = "3.1.1"
partition = "2/3"
session_expiry = "7d"
[endpoint]
url = "http://[::1]:8080"
connections = 1_0
[credentials]
source = "none"
[limits]
max_payload = "1MiB"
[notify]
quota_share = 1
[admin]
listen = ""
[log]
level = "trace"
format = "json"
)");
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
  ASSERT_TRUE(outcome.configuration);
  const Configuration& c = *outcome.configuration;
  EXPECT_THAT(c.broker.urls, ElementsAre(Url{"mqtts", "", "broker.example.com", 8883}));
  EXPECT_EQ(c.broker.protocol, MqttProtocol::v3_1_1);
  EXPECT_EQ(to_string(c.broker.partition), "2/3");
  EXPECT_EQ(c.broker.session_expiry, 24h * 7);
  EXPECT_EQ(c.endpoint.url, (Url{"http", "", "::1", 8080}));
  EXPECT_EQ(c.endpoint.connections, 10U);
  EXPECT_EQ(c.limits.max_payload, 1024U * 1024U);
  EXPECT_DOUBLE_EQ(c.notify.quota_share, 1.0);
  EXPECT_FALSE(c.admin.listen);
  EXPECT_EQ(c.log.level, Severity::trace);
  EXPECT_EQ(c.log.format, LogFormat::json);
}

TEST_F(LoadTest, SetWinsOverEnvironmentAndEnvironmentOverFile) {
  const std::string file = "limits.deadline = \"1s\"\nlimits.queue = 100\nlog.level = \"error\"\n";
  const auto outcome =
      load_more(file, {"limits.deadline=3s"},
                {"JOBS_BRIDGE_LIMITS_DEADLINE=2s", "JOBS_BRIDGE_LIMITS_QUEUE=200", "PATH=/bin"});
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
  ASSERT_TRUE(outcome.configuration);
  EXPECT_EQ(outcome.configuration->limits.deadline, 3s);
  EXPECT_EQ(outcome.configuration->limits.queue, 200U);
  EXPECT_EQ(outcome.configuration->log.level, Severity::error);
}

TEST_F(LoadTest, OverriddenValueDoesNotMatter) {
  const auto outcome = load_more("broker.password_file = \"/nowhere\"\nlimits.deadline = \"x\"\n",
                                 {"limits.deadline=3s"}, {"JOBS_BRIDGE_BROKER_PASSWORD_FILE="});
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
}

TEST_F(LoadTest, EveryKeyTakesItsDefaultFromSetAndEnvironment) {
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      if (key.path == "credentials.source" || key.path == "endpoint.region") continue;
      const std::string value(key.default_value);
      EXPECT_THAT(lines(load_more("", {key.path + "=" + value}).faults), IsEmpty()) << key.path;
      EXPECT_THAT(lines(load_more("", {}, {environment_name(key) + "=" + value}).faults), IsEmpty())
          << key.path;
    }
  }
}

TEST_F(LoadTest, OverridesTakeStringsBareOrQuoted) {
  const auto outcome = load_more("",
                                 {"broker.client_id=\"a b\"", "broker.share_group='g'",
                                  "broker.username=x=y", "limits.queue=20"},
                                 {"JOBS_BRIDGE_LOG_FORMAT=\"json\""});
  EXPECT_THAT(lines(outcome.faults), IsEmpty());
  ASSERT_TRUE(outcome.configuration);
  EXPECT_EQ(outcome.configuration->broker.client_id, "a b");
  EXPECT_EQ(outcome.configuration->broker.share_group, "g");
  EXPECT_EQ(outcome.configuration->broker.username, "x=y");
  EXPECT_EQ(outcome.configuration->log.format, LogFormat::json);
}

TEST_F(LoadTest, FaultsOfOverridesNameTheirSource) {
  const auto outcome = load_more(
      "",
      {"limits.queue=many", "limit.queue=1", "hunter2", "log.level=\"debug", "log.format=json",
       "log.format=text", "queue=1"},
      {"JOBS_BRIDGE_LIMITS_QUEUE_PER_THING=-1", "JOBS_BRIDGE_LIMIT_QUEUE=5", "JOBS_BRIDGE_X=1"});
  EXPECT_THAT(
      lines(outcome.faults),
      ElementsAre(
          "environment JOBS_BRIDGE_LIMIT_QUEUE: names an unknown key; did you mean "
          "JOBS_BRIDGE_LIMITS_QUEUE?",
          "environment JOBS_BRIDGE_X: names an unknown key; expected JOBS_BRIDGE_SECTION_KEY, such "
          "as JOBS_BRIDGE_LOG_LEVEL",
          "environment JOBS_BRIDGE_LIMITS_QUEUE_PER_THING: limits.queue_per_thing: \"-1\" is not a "
          "whole number in range; expected 1 to 1000000",
          "--set: limit.queue: unknown key; did you mean limits.queue?",
          "--set: an argument has no '='; expected section.key=value, such as log.level=debug",
          "--set: log.level: starts with a quote, but is not a valid TOML string; remove the "
          "quotes",
          "--set: log.format: is given more than once; give it only once",
          "--set: queue: unknown key; expected section.key, such as log.level",
          "--set: limits.queue: \"many\" is not a whole number in range; expected 1 to 1000000"));
}

TEST_F(LoadTest, FileThatCannotBeReadIsOneFaultThatSaysWhy) {
  const auto faults = [&](const std::string& path) {
    path_ = path;
    return lines(load(path, {}, {}).faults);
  };
  EXPECT_THAT(faults(directory_.path("none.toml")),
              ElementsAre("FILE: does not exist; expected a TOML file that the bridge can read"));
  EXPECT_THAT(faults(directory_.path("")),
              ElementsAre("FILE: is a directory; expected a TOML file that the bridge can read"));
  const auto pipe = directory_.path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& path : {pipe, std::string("/dev/zero"), std::string("/dev/null")}) {
    EXPECT_THAT(
        faults(path),
        ElementsAre("FILE: is not a regular file; expected a TOML file that the bridge can read"));
  }
  EXPECT_THAT(faults(directory_.write("b", "# \xc3\xa4\n# \xff\n")),
              ElementsAre("FILE:2: is not UTF-8; save it as UTF-8"));
  EXPECT_THAT(faults(directory_.write("c", std::string((1U << 20U) + 1, '#'))),
              ElementsAre(HasSubstr("FILE: is larger than 1048576 bytes")));
  EXPECT_THAT(faults(""), ElementsAre(HasSubstr("--config: names no file")));
}

TEST_F(LoadTest, EmptyFileIsAWarning) {
  const auto outcome =
      load_text(" \n", {"credentials.source=none", "endpoint.region=eu-central-1"});
  EXPECT_TRUE(outcome.configuration);
  EXPECT_THAT(lines(outcome.warnings), ElementsAre("FILE: is empty, so every key has its default; "
                                                   "\"jobs-bridge check --help\" lists every key"));
  EXPECT_THAT(load_text("# nothing said\n", {"credentials.source=none"}).warnings, IsEmpty());
}

TEST_F(LoadTest, WithoutAFileDefaultsEnvironmentAndSetsCount) {
  const auto outcome =
      load(std::nullopt, {"credentials.source=none"}, {"JOBS_BRIDGE_ENDPOINT_REGION=eu-central-1"});
  ASSERT_TRUE(outcome.configuration);
  EXPECT_THAT(outcome.warnings, IsEmpty());
  EXPECT_EQ(outcome.configuration->limits.queue, 10000U);
  EXPECT_THAT(lines(load(std::nullopt, {"credentials.source=none"}, {}).faults),
              ElementsAre(::testing::StartsWith("defaults: endpoint.region: is empty")));
}

TEST_F(LoadTest, VariablesThatKubernetesSetsForAServiceAreNotOurs) {
  const std::vector<std::string> of_kubernetes = {"JOBS_BRIDGE_SERVICE_HOST=10.0.0.1",
                                                  "JOBS_BRIDGE_SERVICE_PORT=9464",
                                                  "JOBS_BRIDGE_SERVICE_PORT_METRICS=9464",
                                                  "JOBS_BRIDGE_PORT=tcp://10.0.0.1:9464",
                                                  "JOBS_BRIDGE_PORT_9464_TCP=tcp://10.0.0.1:9464",
                                                  "JOBS_BRIDGE_PORT_9464_TCP_PROTO=tcp",
                                                  "JOBS_BRIDGE_PORT_9464_TCP_PORT=9464",
                                                  "JOBS_BRIDGE_PORT_9464_TCP_ADDR=10.0.0.1",
                                                  "JOBS_BRIDGE_ADMIN_SERVICE_HOST=10.0.0.1",
                                                  "JOBS_BRIDGE_ADMIN_PORT=tcp://10.0.0.1:9464",
                                                  "JOBS_BRIDGE_ADMIN_PORT_53_UDP_ADDR=10.0.0.1"};
  EXPECT_THAT(lines(load_more("", {}, of_kubernetes).faults), IsEmpty());
  for (const char* variable : {"JOBS_BRIDGE_PORT=9464", "JOBS_BRIDGE_LOG_LEVL=info",
                               "JOBS_BRIDGE_PORT_TCP=x", "JOBS_BRIDGE_SERVICE=x"}) {
    EXPECT_EQ(load_more("", {}, {variable}).faults.size(), 1U) << variable;
  }
}

TEST_F(LoadTest, BooleansOfOverridesAreTakenAsPeopleTypeThem) {
  for (const char* word : {"true", "True", "YES", "on", "1"}) {
    const auto outcome = load_more("", {}, {std::string("JOBS_BRIDGE_ENDPOINT_FIPS=") + word});
    ASSERT_TRUE(outcome.configuration) << word;
    EXPECT_TRUE(outcome.configuration->endpoint.fips) << word;
    EXPECT_THAT(outcome.configuration->endpoint.url.host, HasSubstr("iot-fips")) << word;
  }
  for (const char* word : {"FALSE", "no", "Off", "0"}) {
    const auto outcome = load_more("", {std::string("notify.enabled=") + word});
    ASSERT_TRUE(outcome.configuration) << word;
    EXPECT_FALSE(outcome.configuration->notify.enabled) << word;
  }
  EXPECT_EQ(load_more("", {"notify.enabled=maybe"}).faults.size(), 1U);
}

TEST_F(LoadTest, SyntaxErrorNamesLineAndColumnAndOverridesAreCheckedNoneTheLess) {
  const auto outcome = load_text("[broker]\nurl = mqtt\n", {"limits.queue=0"});
  ASSERT_EQ(outcome.faults.size(), 2U);
  EXPECT_EQ(outcome.faults[0].line, 2U);
  EXPECT_GT(outcome.faults[0].column, 1U);
  EXPECT_THAT(lines(outcome.faults)[0], HasSubstr("FILE:2:"));
  EXPECT_THAT(lines(outcome.faults)[1], HasSubstr("--set: limits.queue: "));
}

TEST_F(LoadTest, KeyOrSectionThatIsGivenTwiceIsASyntaxError) {
  const auto key = load_text("[log]\nlevel = \"info\"\nlevel = \"debug\"\n");
  ASSERT_EQ(key.faults.size(), 1U);
  EXPECT_EQ(key.faults[0].line, 3U);
  const auto section = load_text("[log]\nlevel = \"info\"\n[log]\nformat = \"json\"\n");
  ASSERT_EQ(section.faults.size(), 1U);
  EXPECT_EQ(section.faults[0].line, 3U);
}

TEST_F(LoadTest, NestingWithoutEndIsAFault) {
  EXPECT_EQ(load_text("a = " + std::string(100'000, '[')).faults.size(), 1U);
}

TEST_F(LoadTest, UnknownNamesAreFaultsWithTheNearestKnownOne) {
  EXPECT_THAT(
      faults_of("[brokers]\nurl = 1\n[limits]\ndeadlin = \"1s\"\nconnections = 3\n"
                "[topics]\nwhatever_is_this = 1\n"),
      ElementsAre(
          "FILE:3: brokers: unknown section; did you mean [broker]?",
          "FILE:6: limits.deadlin: unknown key; did you mean limits.deadline?",
          "FILE:7: limits.connections: unknown key; it belongs in [endpoint]",
          "FILE:9: topics.whatever_is_this: unknown key; the keys of this section are base"));
  EXPECT_THAT(
      faults_of("url = \"mqtt://a\"\n"),
      ElementsAre(
          "FILE:3: url: is a key outside its section; it belongs in [broker] or [endpoint]"));
  EXPECT_THAT(faults_of("[something_else]\n"),
              ElementsAre("FILE:3: something_else: unknown section; the sections are broker, "
                          "topics, endpoint, credentials, limits, journal, notify, admin, log"));
  EXPECT_THAT(
      faults_of("log = 3\n[[notify]]\n"),
      ElementsAre(
          "FILE:3: log: must be a section, but is a whole number; write [log] on a line of its own",
          "FILE:4: notify: must be a section, but is an array; write [notify] on a line of its "
          "own"));
}

TEST_F(LoadTest, WrongTypeIsAFaultWithAnExample) {
  EXPECT_THAT(
      faults_of(
          "limits.queue = \"10\"\nlimits.deadline = 8\nnotify.enabled = \"false\"\n"
          "notify.quota_share = \"1\"\nlimits.queue_per_thing = 1.5\nlog.level = 2020-01-01\n"
          "broker.url = 1883\ntopics.base = {}\nbroker.username = true\nnotify.things = \"a\"\n"),
      ElementsAre(
          "FILE:3: limits.queue: must be a whole number, but is a string; for example: queue = "
          "10000",
          "FILE:4: limits.deadline: must be a string, but is a whole number; for example: deadline "
          "= "
          "\"8s\"",
          "FILE:5: notify.enabled: must be a boolean, but is a string; for example: enabled = true",
          "FILE:6: notify.quota_share: must be a number, but is a string; for example: quota_share "
          "= 0.5",
          "FILE:7: limits.queue_per_thing: must be a whole number, but is a number with a "
          "fraction; for "
          "example: queue_per_thing = 16",
          "FILE:8: log.level: must be a string, but is a date or a time; for example: level = "
          "\"info\"",
          "FILE:9: broker.url: must be a string or an array of strings, but is a whole number; for "
          "example: url = \"mqtt://127.0.0.1:1883\"",
          "FILE:10: topics.base: must be a string, but is a table; for example: base = "
          "\"$aws/things/{thing}/jobs\"",
          "FILE:11: broker.username: must be a string, but is a boolean; for example: username = "
          "\"\"",
          "FILE:12: notify.things: must be an array of strings, but is a string; for example: "
          "things = "
          "[]"));
}

TEST_F(LoadTest, WrongTypeOfAKeyBringsNoFurtherFaultsAboutIt) {
  const auto outcome = load_text("credentials.source = 5\nendpoint.region = 5\n");
  EXPECT_EQ(outcome.faults.size(), 2U);
}

TEST_F(LoadTest, FaultsComeInTheOrderOfFileThenEnvironmentThenSet) {
  const auto outcome =
      load_more("limits.queue = 0\nbroker.client_id = \"\"\nlog.colour = 1\nlog.level = \"loud\"\n",
                {"endpoint.connections=0"}, {"JOBS_BRIDGE_LIMITS_DEADLINE=0s"});
  std::vector<std::string> keys;
  for (const auto& fault : outcome.faults) keys.push_back(fault.key);
  EXPECT_THAT(keys, ElementsAre("limits.queue", "broker.client_id", "log.colour", "log.level",
                                "limits.deadline", "endpoint.connections"));
}

TEST_F(LoadTest, HostileNamesAndValuesArePrintedOnOneLineWithoutControlCharacters) {
  for (const auto& line : faults_of("\"a\\nb\\u001b\" = 1\nlog.level = \"x\\ny\"\n")) {
    EXPECT_EQ(line.find_first_of("\n\x1b"), std::string::npos) << line;
  }
  EXPECT_THAT(faults_of("log.level = \"x\\ny\"\n"),
              ElementsAre("FILE:3: log.level: contains a control character; use printable text"));
  EXPECT_THAT(lines(load_more("", {"broker.client_id=\xff"}).faults),
              ElementsAre("--set: broker.client_id: is not UTF-8; use text in UTF-8"));
  EXPECT_THAT(faults_of("log.level = \"" + std::string(1000, 'x') + "\"\n"),
              ElementsAre(HasSubstr("xxx...\" is not a known value")));
}

}  // namespace
}  // namespace jobs_bridge::config
