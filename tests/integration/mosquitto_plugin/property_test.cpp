// Properties of requests and replies on their way through our plugin, honest and forged ones.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/mosquitto_plugin/plugin_site.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::Pair;
using testing::SizeIs;

const std::string arrival = "jobs-bridge-received";

std::int64_t now_in_milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What the plugin puts into Correlation Data, written down once more.
std::string mark_of(const std::string& client_id, const std::string& own = "") {
  return std::string("\xffJB\x01", 4) + (own.empty() ? '\x01' : '\x05') +
         static_cast<char>(client_id.size() >> 8U) + static_cast<char>(client_id.size() & 0xffU) +
         client_id + own;
}

class PropertyTest : public testing::Test {
 protected:
  PropertyTest() : site_(with_plugin({.endpoint_arguments = {"--things", "lamp:9:2"}})) {}

  [[nodiscard]] std::unique_ptr<MqttDevice> connect(const std::string& client_id) const {
    return site_.connect_device(client_id);
  }

  Site site_;
};

TEST_F(PropertyTest, ReplyHasTheCorrelationDataAndGoesToTheResponseTopicOfTheRequest) {
  const auto lamp = connect("lamp");
  lamp->publish(start_next_topic("lamp-1"), "{}",
                {.response_topic = "$aws/things/lamp-1/jobs/mine",
                 .correlation_data = std::string("o\0wn\xff", 5)});
  const auto reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->topic, "$aws/things/lamp-1/jobs/mine");
  EXPECT_EQ(reply->correlation_data, std::string("o\0wn\xff", 5));
  EXPECT_THAT(reply->user_properties, IsEmpty());
  EXPECT_TRUE(has_heard_all(*lamp));
}

TEST_F(PropertyTest, ReplyToARequestWithoutCorrelationDataHasNone) {
  const auto lamp = connect("lamp");
  const auto reply = reply_to(*lamp, start_next_topic("lamp-1"));
  EXPECT_THAT(reply.correlation_data, IsEmpty());
  EXPECT_THAT(reply.user_properties, IsEmpty());
}

TEST_F(PropertyTest, ReplyKeepsItsContentType) {
  const auto lamp = connect("lamp");
  lamp->publish(start_next_topic("lamp-1"), "{}",
                {.correlation_data = "own", .content_type = "application/json"});
  const auto reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->content_type, "application/json");
  EXPECT_EQ(reply->correlation_data, "own");
}

TEST_F(PropertyTest, RequestSaysWhenItArrivedAndKeepsAllElseThatItCameWith) {
  const auto lamp = connect("lamp");
  const auto spy = connect("spy");
  spy->subscribe(start_next_topic("lamp-1"));
  const auto before = now_in_milliseconds();
  lamp->publish(start_next_topic("lamp-1"), "{}");
  lamp->publish(start_next_topic("lamp-1"), "{}",
                {.correlation_data = "own",
                 .content_type = "application/json",
                 .user_properties = {{"a", "1"}, {"b", ""}, {"a", "2"}}});
  for (const bool plain : {true, false}) {
    auto request = spy->next();
    ASSERT_TRUE(request);
    ASSERT_THAT(request->user_properties, SizeIs(plain ? 1 : 4));
    const auto stamp = request->user_properties.back();
    EXPECT_EQ(stamp.first, arrival);
    EXPECT_THAT(std::stoll(stamp.second), AllOf(Ge(before), Le(now_in_milliseconds())));
    EXPECT_EQ(request->correlation_data, mark_of("lamp", plain ? "" : "own"));
    if (plain) continue;
    request->user_properties.pop_back();
    EXPECT_THAT(request->user_properties,
                ElementsAre(Pair("a", "1"), Pair("b", ""), Pair("a", "2")));
    EXPECT_EQ(request->content_type, "application/json");
  }
}

TEST_F(PropertyTest, ForgedTimesOfArrivalAreRemoved) {
  const auto lamp = connect("lamp");
  const auto spy = connect("spy");
  spy->subscribe(start_next_topic("lamp-1"));
  lamp->publish(start_next_topic("lamp-1"), "{}",
                {.user_properties = {{arrival, "1"}, {"other", "stays"}, {arrival, "2"}}});
  const auto request = spy->next();
  ASSERT_TRUE(request);
  ASSERT_THAT(request->user_properties,
              ElementsAre(Pair("other", "stays"), Pair(arrival, testing::_)));
  EXPECT_THAT(std::stoll(request->user_properties.back().second),
              Ge(now_in_milliseconds() - 60'000));
  const auto reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_THAT(reply->user_properties, IsEmpty());
}

TEST_F(PropertyTest, ExpiryOfARequestIsKept) {
  site_.bridge->process().signal(SIGKILL);
  site_.bridge->process().wait();
  const auto lamp = connect("lamp");
  lamp->publish(start_next_topic("lamp-1"), "{}", {.correlation_data = "own", .expires_after = 1s});
  ASSERT_TRUE(lamp->flush());
  std::this_thread::sleep_for(2500ms);  // expiry is by time alone; there is no event to wait for
  site_.bridge.emplace(site_.bridge_settings());
  EXPECT_TRUE(has_heard_all(*lamp));
}

TEST_F(PropertyTest, MarkOfADeviceIsItsOwnCorrelationDataAndNamesNobody) {
  const auto victim = connect("victim");
  const auto forger = connect("forger");
  const auto forged = mark_of("victim");
  forger->publish(start_next_topic("lamp-1"), "{}", {.correlation_data = forged});
  const auto reply = forger->next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->correlation_data, forged);
  EXPECT_TRUE(has_heard_all(*forger));
  EXPECT_TRUE(has_heard_all(*victim));
  EXPECT_TRUE(site_.has_no_more_replies());
}

TEST_F(PropertyTest, ReplyThatADeviceForgesGoesToSubscribersAsFromAnyBroker) {
  const auto victim = connect("victim");
  const auto forger = connect("forger");
  const auto topic = start_next_topic("lamp-1") + "/accepted";
  forger->publish(topic, R"({"execution":{}})", {.correlation_data = mark_of("victim")});
  ASSERT_TRUE(forger->flush());
  const auto heard = site_.device->next();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->topic, topic);
  EXPECT_EQ(heard->correlation_data, mark_of("victim"));
  EXPECT_TRUE(has_heard_all(*victim));
}

TEST_F(PropertyTest, CorrelationDataThatLeavesNoRoomIsReturnedToSubscribers) {
  const auto lamp = connect("lamp");
  const std::string fits(65535 - 7 - 4, 'x');
  lamp->publish(start_next_topic("lamp-1"), "{}", {.correlation_data = fits});
  auto reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->correlation_data == fits);
  EXPECT_TRUE(site_.has_no_more_replies());

  const std::string longest(65535, 'x');
  lamp->subscribe("$aws/things/lamp-1/jobs/start-next/+");
  lamp->publish(start_next_topic("lamp-1"), "{}", {.correlation_data = longest});
  reply = lamp->next();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->correlation_data == longest);
  const auto other = site_.device->next();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->topic, start_next_topic("lamp-1") + "/accepted");
  EXPECT_TRUE(has_heard_all(*lamp));
}

TEST_F(PropertyTest, ClientIdThatLeavesNoRoomHearsRepliesBySubscription) {
  const auto longest_that_fits = connect(std::string(65535 - 7, 'x'));
  EXPECT_EQ(reply_to(*longest_that_fits, start_next_topic("lamp-1")).topic,
            start_next_topic("lamp-1") + "/accepted");
  EXPECT_TRUE(site_.has_no_more_replies());

  const auto longest = connect(std::string(65535, 'x'));
  longest->subscribe("$aws/things/+/jobs/start-next/accepted");
  const auto reply = reply_to(*longest, start_next_topic("lamp-1"));
  EXPECT_EQ(reply.topic, start_next_topic("lamp-1") + "/accepted");
  EXPECT_THAT(reply.correlation_data, IsEmpty());
}

TEST_F(PropertyTest, ThousandsOfUserPropertiesAreKeptInOrder) {
  const auto lamp = connect("lamp");
  const auto spy = connect("spy");
  spy->subscribe(start_next_topic("lamp-1"));
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 2000; ++i) many.emplace_back("name", std::to_string(i));
  auto with_forged = many;
  with_forged.emplace_back(arrival, "1");
  lamp->publish(start_next_topic("lamp-1"), "{}",
                {.correlation_data = "own", .user_properties = with_forged});
  auto request = spy->next();
  ASSERT_TRUE(request);
  ASSERT_THAT(request->user_properties, SizeIs(many.size() + 1));
  request->user_properties.pop_back();
  EXPECT_EQ(request->user_properties, many);
  EXPECT_TRUE(lamp->next());
}

TEST_F(PropertyTest, MarkedMessageThatIsNoReplyIsLeftAlone) {
  const auto lamp = connect("lamp");
  const auto other = connect("other");
  for (const auto* topic : {"some/topic", "$aws/things/lamp-1/jobs/notify", "$aws/things/lamp-1"}) {
    other->subscribe(topic);
    lamp->publish(topic, "hello",
                  {.correlation_data = mark_of("lamp"), .user_properties = {{arrival, "1"}}});
    const auto heard = other->next();
    ASSERT_TRUE(heard) << topic;
    EXPECT_EQ(heard->correlation_data, mark_of("lamp"));
    EXPECT_THAT(heard->user_properties, ElementsAre(Pair(arrival, "1")));
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
