#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config/load_fixture.h"

/// Values that are right by themselves but not together.
namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class RelationsTest : public LoadFixture {
 protected:
  /// `key = "path"`, for a file that is there.
  std::string existing(std::string_view key) const {
    return std::string(key).append(" = \"").append(directory_.write("file", "x")).append("\"\n");
  }
};

TEST_F(RelationsTest, AMisspelledKeyBringsNoFurtherFaultsThatFollowFromItsAbsence) {
  const auto password = directory_.write("password", "hunter2");
  EXPECT_THAT(
      faults_of("broker.usrname = \"alice\"\nbroker.password_file = \"" + password + "\"\n"),
      ElementsAre("FILE:3: broker.usrname: unknown key; did you mean broker.username?"));
}

TEST_F(RelationsTest, RegionInUrlNeedsARegion) {
  const std::string fault =
      "FILE: endpoint.region: is empty, but endpoint.url contains {region}; set it to the "
      "endpoint's region, such as \"eu-central-1\"";
  EXPECT_THAT(lines(load_text("credentials.source = \"none\"\n").faults), ElementsAre(fault));
  EXPECT_THAT(
      lines(load_text("credentials.source = \"none\"\n", {"endpoint.url=https://a"}).faults),
      IsEmpty());
}

TEST_F(RelationsTest, RegionIsPutIntoEveryPlace) {
  const auto outcome = load_more("endpoint.url = \"https://{region}.{region}.example.com\"\n");
  ASSERT_TRUE(outcome.configuration);
  EXPECT_EQ(outcome.configuration->endpoint.url.host, "eu-central-1.eu-central-1.example.com");
}

TEST_F(RelationsTest, PlainHttpIsForLoopbackOnly) {
  EXPECT_THAT(faults_of("endpoint.url = \"http://192.0.2.1\"\n"),
              ElementsAre("FILE:3: endpoint.url: is plain http:// to another host; use https://, "
                          "or set endpoint.allow_plaintext = true"));
  EXPECT_THAT(faults_of("endpoint.url = \"http://192.0.2.1\"\nendpoint.allow_plaintext = true\n"),
              IsEmpty());
  for (const char* host : {"127.0.0.1:8080", "localhost", "[::1]:1"}) {
    EXPECT_THAT(faults_of(std::string("endpoint.url = \"http://").append(host).append("\"\n")),
                IsEmpty())
        << host;
  }
}

TEST_F(RelationsTest, PlainMqttToAnotherHostTakesNoCredentials) {
  const std::string url = "broker.url = \"mqtt://192.0.2.1\"\n";
  const std::string user = "broker.username = \"me\"\n";
  const std::string fault =
      "FILE:3: broker.url: would send broker.username and the password in plain text; use "
      "mqtts://, or set broker.allow_plaintext = true";
  EXPECT_THAT(faults_of(url), IsEmpty());
  EXPECT_THAT(faults_of(url + user), ElementsAre(fault));
  EXPECT_THAT(faults_of(url + user + existing("broker.password_file")), ElementsAre(fault));
  EXPECT_THAT(faults_of(url + user + "broker.allow_plaintext = true\n"), IsEmpty());
  EXPECT_THAT(faults_of("broker.url = \"mqtts://192.0.2.1\"\n" + user), IsEmpty());
  EXPECT_THAT(faults_of(user), IsEmpty());
}

TEST_F(RelationsTest, PasswordNeedsAUsername) {
  EXPECT_THAT(faults_of(existing("broker.password_file")),
              ElementsAre("FILE:3: broker.password_file: is set without broker.username; set "
                          "broker.username"));
}

TEST_F(RelationsTest, CertificateAndKeyComeTogether) {
  for (const char* section : {"broker", "endpoint"}) {
    const std::string certificate = std::string(section) + ".certificate_file";
    const std::string key = std::string(section) + ".private_key_file";
    const std::string url = "broker.url = \"mqtts://127.0.0.1\"\n";
    EXPECT_THAT(faults_of(existing(certificate) + url),
                ElementsAre("FILE:3: " + certificate + ": is set without " + key +
                            "; set both or neither"));
    EXPECT_THAT(faults_of(existing(key) + url), ElementsAre("FILE:3: " + key + ": is set without " +
                                                            certificate + "; set both or neither"));
    EXPECT_THAT(faults_of(existing(certificate) + existing(key) + url), IsEmpty());
  }
}

TEST_F(RelationsTest, QueuePerThingIsNotMoreThanQueue) {
  EXPECT_THAT(faults_of("limits.queue = 10\n"),
              ElementsAre("FILE:3: limits.queue: queue_per_thing (16) is larger than queue (10); "
                          "set queue_per_thing to at most queue"));
  EXPECT_THAT(faults_of("limits.queue = 10\nlimits.queue_per_thing = 11\n"),
              ElementsAre("FILE:4: limits.queue_per_thing: queue_per_thing (11) is larger than "
                          "queue (10); set queue_per_thing to at most queue"));
  EXPECT_THAT(faults_of("limits.queue = 10\nlimits.queue_per_thing = 10\n"), IsEmpty());
}

TEST_F(RelationsTest, JournalNeedsItsDirectory) {
  EXPECT_THAT(faults_of("journal.path = \"" + directory_.path("none/journal") + "\"\n"),
              ::testing::Contains(
                  "FILE:3: journal.path: the directory " + directory_.path("none") +
                  " does not exist; create the directory, or name a file in one that exists"));
  EXPECT_THAT(faults_of("journal.path = \"" + directory_.path("journal") + "\"\n"),
              Not(::testing::Contains(HasSubstr("does not exist"))));
}

TEST_F(RelationsTest, NotifyNeedsTheDirectoryOfItsFile) {
  const std::string enabled = "notify.enabled = true\n";
  EXPECT_THAT(
      faults_of(enabled + "notify.path = \"" + directory_.path("none/watched") + "\"\n"),
      ElementsAre("FILE:4: notify.path: the directory " + directory_.path("none") +
                  " does not exist; create the directory, or name a file in one that exists"));
  EXPECT_THAT(warnings_of(enabled + "notify.path = \"" + directory_.path("watched") + "\"\n"),
              IsEmpty());
}

TEST_F(RelationsTest, PathOfNotificationsThatAreOffIsAWarning) {
  EXPECT_THAT(
      warnings_of("notify.enabled = false\nnotify.path = \"" + directory_.path("watched") + "\"\n"),
      ElementsAre("FILE:4: notify.path: has no effect: notify.enabled is false; set notify.enabled "
                  "= true, or remove this key"));
}

TEST_F(RelationsTest, ThingsThatAreAlwaysWatchedAreNotMoreThanMayBe) {
  const std::string enabled = "notify.enabled = true\n";
  const std::string things = "notify.things = [\"a\", \"b\"]\n";
  EXPECT_THAT(faults_of(enabled + things + "notify.max_things = 1\n"),
              ElementsAre("FILE:5: notify.max_things: things has 2 entries, more than max_things "
                          "(1); raise max_things, or shorten the list"));
  EXPECT_THAT(faults_of(enabled + things + "notify.max_things = 2\n"), IsEmpty());
  EXPECT_THAT(faults_of("notify.enabled = false\n" + things + "notify.max_things = 1\n"),
              IsEmpty());
  EXPECT_THAT(faults_of(enabled + "notify.things = [\"a\", \"b/c\"]\nnotify.max_things = 1\n"),
              ElementsAre(HasSubstr("element 2: \"b/c\" is not valid")));
}

TEST_F(RelationsTest, WatchThatIsShorterThanTheIntervalIsAWarning) {
  const std::string enabled = "notify.enabled = true\n";
  EXPECT_THAT(warnings_of(enabled + "notify.interval = \"1h\"\nnotify.watch_for = \"1min\"\n"),
              ElementsAre("FILE:5: notify.watch_for: watch_for is shorter than interval, so some "
                          "things may never be polled for; set watch_for to interval or more"));
  EXPECT_THAT(warnings_of("notify.enabled = false\nnotify.interval = \"1h\"\n"
                          "notify.watch_for = \"1min\"\n"),
              IsEmpty());
  EXPECT_THAT(warnings_of("notify.interval = \"1min\"\nnotify.idle_interval = \"59s\"\n"),
              ElementsAre("FILE:4: notify.idle_interval: has no effect: it is shorter than "
                          "notify.interval; set it to notify.interval or more"));
  EXPECT_THAT(warnings_of("notify.interval = \"1min\"\nnotify.idle_interval = \"1min\"\n"),
              IsEmpty());
  EXPECT_THAT(warnings_of("notify.interval = \"1h\"\n"), IsEmpty());
  EXPECT_THAT(warnings_of(enabled + "notify.interval = \"1h\"\nnotify.watch_for = \"1h\"\n"),
              IsEmpty());
}

TEST_F(RelationsTest, ShareGroupWithADollarBaseIsAWarning) {
  EXPECT_THAT(warnings_of("broker.share_group = \"g\"\n"),
              ElementsAre(HasSubstr("FILE:3: broker.share_group: mosquitto")));
  EXPECT_THAT(warnings_of("broker.share_group = \"g\"\ntopics.base = \"{thing}/jobs\"\n"),
              IsEmpty());
}

TEST_F(RelationsTest, ShareGroupAcrossPartitionsIsAWarning) {
  const std::string group = "broker.share_group = \"g\"\ntopics.base = \"{thing}/jobs\"\n";
  EXPECT_THAT(warnings_of(group + "broker.partition = \"1/2\"\n"),
              ElementsAre("FILE:3: broker.share_group: loses requests unless every member of the "
                          "group has the same broker.partition; use a separate group for each "
                          "partition, or set only one of the two keys"));
  EXPECT_THAT(warnings_of(group + "broker.partition = \"1/1\"\n"), IsEmpty());
  EXPECT_THAT(warnings_of("broker.partition = \"1/2\"\n"), IsEmpty());
}

TEST_F(RelationsTest, StandbyNeedsALeaseAndTheLeaseTimeForTwoKeepAlives) {
  EXPECT_THAT(faults_of("broker.standby = true\n"),
              ElementsAre(HasSubstr("broker.standby: is set without broker.lease")));
  EXPECT_THAT(faults_of("broker.lease = \"29s\"\n"),
              ElementsAre(HasSubstr("broker.lease: is shorter than twice broker.keep_alive")));
  EXPECT_THAT(faults_of("broker.lease = \"30s\"\n"), IsEmpty());
  EXPECT_THAT(faults_of("broker.lease = \"10s\"\nbroker.keep_alive = \"5s\"\n"
                        "broker.standby = true\n"),
              IsEmpty());
}

TEST_F(RelationsTest, LeaseNeedsMessagesToOurselvesAndOneInstanceAPlace) {
  const std::string lease = "broker.lease = \"30s\"\n";
  for (const auto* topic : {"", "bridges/canary"}) {
    EXPECT_THAT(faults_of(lease + "broker.canary_topic = \"" + topic + "\"\n"),
                ElementsAre(HasSubstr("broker.canary_topic: lacks {client_id}")));
  }
  EXPECT_THAT(faults_of(lease + "broker.share_group = \"g\"\ntopics.base = \"{thing}/jobs\"\n"),
              ElementsAre(HasSubstr("broker.lease: cannot be combined with broker.share_group")));
}

TEST_F(RelationsTest, ClientIdThatNotEvery311BrokerTakesIsAWarning) {
  const auto id = [](std::size_t size) {
    return "broker.client_id = \"" + std::string(size, 'x') + "\"\n";
  };
  const std::string old = "broker.protocol = \"3.1.1\"\n";
  EXPECT_THAT(
      warnings_of(id(24) + old),
      ElementsAre("FILE:3: broker.client_id: is longer than the 23 bytes that every MQTT 3.1.1 "
                  "broker accepts; use a shorter one, unless your broker is known to accept it"));
  EXPECT_THAT(warnings_of(id(23) + old), IsEmpty());
  EXPECT_THAT(warnings_of(id(24)), IsEmpty());
}

TEST_F(RelationsTest, SecretThatOthersCanReadIsAWarning) {
  const auto line = [&](mode_t mode) {
    return "broker.username = \"me\"\nbroker.password_file = \"" +
           directory_.write("secret", "x", mode) + "\"\n";
  };
  const std::string warning =
      "FILE:4: broker.password_file: " + directory_.path("secret") +
      " can be read by other users; restrict its mode to 600, or to 640 with the bridge's group";
  EXPECT_THAT(warnings_of(line(0640)), ElementsAre(warning));
  EXPECT_THAT(warnings_of(line(0604)), ElementsAre(warning));
  EXPECT_THAT(warnings_of(line(0600)), IsEmpty());
}

TEST_F(RelationsTest, SecretOfAnotherOwnerThatOurGroupMayReadIsNoWarning) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string secret = directory_.write("secret", "x", 0640);
  constexpr uid_t another = 12345;
  ASSERT_EQ(chown(secret.c_str(), another, getegid()), 0);
  const std::string text = "broker.username = \"me\"\nbroker.password_file = \"" + secret + "\"\n";
  EXPECT_THAT(warnings_of(text), IsEmpty());
  ASSERT_EQ(chmod(secret.c_str(), 0644), 0);
  EXPECT_THAT(warnings_of(text), ElementsAre(HasSubstr("can be read by other users")));
}

TEST_F(RelationsTest, PrivateKeyThatOthersCanReadIsAWarningAndACertificateIsNot) {
  const auto file = [&](std::string_view key, std::string_view name) {
    return std::string(key)
        .append(" = \"")
        .append(directory_.write(name, "x", 0644))
        .append("\"\n");
  };
  EXPECT_THAT(warnings_of(file("endpoint.certificate_file", "certificate") +
                          file("endpoint.private_key_file", "key")),
              ElementsAre(HasSubstr("FILE:4: endpoint.private_key_file: ")));
}

TEST_F(RelationsTest, FilesForTlsWithoutTlsAreAWarning) {
  EXPECT_THAT(warnings_of(existing("broker.ca_file")),
              ElementsAre("FILE:3: broker.ca_file: has no effect: broker.url is mqtt://; use "
                          "mqtts:// for a TLS connection"));
  EXPECT_THAT(warnings_of("endpoint.url = \"http://localhost\"\n" + existing("endpoint.ca_file")),
              ElementsAre("FILE:4: endpoint.ca_file: has no effect: endpoint.url is http://; use "
                          "https:// for a TLS connection"));
  EXPECT_THAT(warnings_of(existing("endpoint.ca_file")), IsEmpty());
}

TEST_F(RelationsTest, FaultOfOneValueBringsNoOtherAboutItsCompany) {
  EXPECT_THAT(faults_of("limits.queue = 0\nlimits.queue_per_thing = 99\n"),
              ElementsAre(HasSubstr("FILE:3: limits.queue: ")));
  EXPECT_THAT(faults_of("broker.url = \"x\"\nbroker.username = \"me\"\n"),
              ElementsAre(HasSubstr("FILE:3: broker.url: ")));
}

TEST_F(RelationsTest, JournalAndNotificationsNeedFilesOfTheirOwn) {
  EXPECT_THAT(faults_of("journal.path = \"/tmp/a\"\nnotify.path = \"/tmp/a\"\n"),
              ElementsAre(HasSubstr("notify.path: is the same file as journal.path")));
  EXPECT_THAT(faults_of("journal.path = \"/tmp/a\"\nnotify.path = \"/tmp/b\"\n"), IsEmpty());
}

TEST_F(RelationsTest, AdminListenerForOtherMachinesNeedsAToken) {
  EXPECT_THAT(
      faults_of("admin.listen = \"0.0.0.0:9464\"\n"),
      ElementsAre("FILE:3: admin.listen: can be reached from other machines, but admin.token_file "
                  "is not set; set admin.token_file, or listen on \"127.0.0.1:9464\""));
  for (const auto* host : {"127.0.0.1", "localhost", "[::1]"}) {
    EXPECT_THAT(faults_of(std::string("admin.listen = \"") + host + ":9464\"\n"), IsEmpty());
  }
}

TEST_F(RelationsTest, MqttLibraryIsOneThatThisBuildHas) {
  const auto silent = load_more("");
  ASSERT_TRUE(silent.configuration);
  EXPECT_EQ(silent.configuration->broker.library,
            JOBS_BRIDGE_HAS_PAHO ? MqttLibrary::paho : MqttLibrary::mosquitto);
  const std::pair<const char*, bool> libraries[] = {{"paho", JOBS_BRIDGE_HAS_PAHO},
                                                    {"mosquitto", JOBS_BRIDGE_HAS_MOSQUITTO}};
  for (const auto& [name, is_built] : libraries) {
    const auto line = std::string("broker.library = \"") + name + "\"\n";
    if (is_built) {
      EXPECT_THAT(faults_of(line), IsEmpty());
    } else {
      EXPECT_THAT(faults_of(line), ElementsAre(::testing::StartsWith(
                                       "FILE:3: broker.library: this program was built without")));
    }
  }
}

}  // namespace
}  // namespace jobs_bridge::config
