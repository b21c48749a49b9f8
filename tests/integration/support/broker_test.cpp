#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

#include "tests/support/accepts_connections.h"
#include "tests/support/free_port.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

class VersionTest : public testing::TestWithParam<bool> {
 protected:
  static MqttDevice::Options device(const MosquittoBroker& broker) {
    return {.port = broker.port(), .version_5 = GetParam()};
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, VersionTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Mqtt5" : "Mqtt311"; });

TEST_P(VersionTest, MessagesPassWithAllThatBelongsToThem) {
  MosquittoBroker broker;
  MqttDevice hearing(device(broker));
  hearing.subscribe("$aws/things/+/jobs/start-next");
  auto options = device(broker);
  options.client_id = "saying";
  MqttDevice saying(options);
  const std::string payload("\0bytes\xff", 7);
  saying.publish("$aws/things/lamp/jobs/start-next", payload);
  const auto message = hearing.next();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->topic, "$aws/things/lamp/jobs/start-next");
  EXPECT_EQ(message->payload, payload);
  EXPECT_EQ(message->qos, 1);
  EXPECT_FALSE(message->retained);
}

TEST_P(VersionTest, RetainedMessageCarriesItsFlagToWhoComesLater) {
  MosquittoBroker broker;
  MqttDevice client(device(broker));
  client.publish("a/b", "kept", 1, true);
  ASSERT_TRUE(client.flush());
  client.subscribe("a/+");
  const auto message = client.next();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->retained);
}

TEST_P(VersionTest, TakesWhatIsAskedForAndLeavesTheRestInOrder) {
  MosquittoBroker broker;
  MqttDevice client(device(broker));
  client.subscribe("a/#");
  for (const auto* topic : {"a/1", "a/2", "a/3"}) client.publish(topic, "");
  const auto second = client.take([](const auto& message) { return message.topic == "a/2"; });
  ASSERT_TRUE(second);
  ASSERT_TRUE(client.wait_for(3));
  EXPECT_EQ(client.count(), 3U);
  const auto rest = client.received();
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].topic, "a/1");
  EXPECT_EQ(rest[1].topic, "a/3");
  EXPECT_FALSE(client.take([](const auto& message) { return message.topic == "a/4"; }, 10ms));
}

TEST_P(VersionTest, EncryptedConnectionTakesOnlyTheRightAuthority) {
  TemporaryDirectory directory;
  TemporaryDirectory elsewhere;
  const CertificateAuthority authority(directory.path());
  const CertificateAuthority other(elsewhere.path(), "other");
  MosquittoBroker broker({.tls = authority.issue("broker", {.dns_names = {"localhost"}})});
  EXPECT_TRUE(broker.url().starts_with("mqtts://"));
  auto options = device(broker);
  options.ca_file = other.certificate_file();
  EXPECT_ANY_THROW(MqttDevice{options});
  options.ca_file = authority.certificate_file();
  MqttDevice client(options);
  client.subscribe("a");
  client.publish("a", "b");
  EXPECT_TRUE(client.next());
}

TEST_P(VersionTest, ClientCertificateIsDemanded) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  MosquittoBroker broker({.tls = authority.issue("broker", {.dns_names = {"localhost"}}),
                          .client_ca_file = authority.certificate_file()});
  auto options = device(broker);
  options.ca_file = authority.certificate_file();
  EXPECT_ANY_THROW(MqttDevice{options});
  const auto client = authority.issue("client", {.common_name = "client"});
  options.certificate_file = client.certificate;
  options.private_key_file = client.private_key;
  EXPECT_NO_THROW(MqttDevice{options});
}

TEST_P(VersionTest, PasswordIsDemanded) {
  MosquittoBroker broker({.users = {{"lamp", "secret"}}});
  auto options = device(broker);
  EXPECT_ANY_THROW(MqttDevice{options});
  options.username = "lamp";
  options.password = "wrong";
  EXPECT_ANY_THROW(MqttDevice{options});
  options.password = "secret";
  EXPECT_NO_THROW(MqttDevice{options});
}

TEST_P(VersionTest, AccessControlHolds) {
  MosquittoBroker broker({.acl = "topic readwrite allowed\n"});
  MqttDevice client(device(broker));
  client.subscribe("#");
  client.publish("forbidden", "", 0);
  client.publish("allowed", "");
  const auto message = client.next();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->topic, "allowed");
}

TEST_P(VersionTest, PersistentDeviceMissesNothingOverARestart) {
  MosquittoBroker broker({.persistence = true, .configuration = "max_queued_messages 0"});
  auto options = device(broker);
  options.client_id = "hearing";
  options.persistent = true;
  MqttDevice hearing(options);
  hearing.subscribe("a");
  const auto port = broker.port();
  for (int round = 1; round <= 2; ++round) {
    MqttDevice saying(device(broker));
    for (int i = 0; i < 100; ++i) saying.publish("a", std::to_string(i));
    ASSERT_TRUE(saying.flush());
    broker.stop(SIGTERM);
    broker.start();
    EXPECT_EQ(broker.port(), port);
  }
  EXPECT_TRUE(hearing.wait_for(200)) << hearing.count();
}

TEST_P(VersionTest, AnyThreadMayPublish) {
  MosquittoBroker broker({.configuration = "max_queued_messages 0"});
  MqttDevice client(device(broker));
  client.subscribe("a/#");
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&client, thread] {
        for (int i = 0; i < 100; ++i) client.publish("a/" + std::to_string(thread), "");
      });
    }
  }
  EXPECT_TRUE(client.flush());
  EXPECT_TRUE(client.wait_for(400)) << client.count();
}

TEST_P(VersionTest, MessagesDoNotWaitForDelayedAcknowledgements) {
  MosquittoBroker broker;
  MqttDevice client(device(broker));
  client.subscribe("a");
  std::vector<std::chrono::steady_clock::duration> times;
  for (int i = 0; i < 30; ++i) {
    const auto before = std::chrono::steady_clock::now();
    client.publish("a", "b");
    ASSERT_TRUE(client.next());
    times.push_back(std::chrono::steady_clock::now() - before);
  }
  std::ranges::sort(times);
  EXPECT_LT(times[times.size() / 2], 20ms);
}

TEST(MqttDeviceTest, CorrelationDataArrives) {
  MosquittoBroker broker;
  MqttDevice client({.port = broker.port()});
  client.subscribe("a");
  const std::string correlation("\0\xff", 2);
  client.publish("a", "b", {.response_topic = "c", .correlation_data = correlation});
  const auto message = client.next();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->correlation_data, correlation);
}

TEST(MosquittoBrokerTest, KilledBrokerRefusesConnections) {
  MosquittoBroker broker;
  broker.stop(SIGKILL);
  EXPECT_FALSE(broker.process().running());
  EXPECT_ANY_THROW(MqttDevice({.port = broker.port()}));
}

TEST(MosquittoBrokerTest, WrongConfigurationSaysWhatIsWrong) {
  try {
    MosquittoBroker broker({.configuration = "no_such_option true"});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("no_such_option"));
  }
}

TEST(FreePortTest, NobodyListensThereAndNoOutgoingConnectionIsGivenIt) {
  int lowest_outgoing = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> lowest_outgoing;
  for (int i = 0; i < 20; ++i) {
    const auto port = free_port();
    EXPECT_FALSE(accepts_connections(port)) << port;
    EXPECT_GT(port, 1023);
    EXPECT_LT(port, lowest_outgoing);
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
