#include "bridge/jobs/operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "bridge/jobs/call.h"
#include "bridge/jobs/topic.h"
#include "tests/unit/jobs/fixtures.h"

/// What holds of each operation there is, so that a new one cannot be forgotten somewhere.
namespace jobs_bridge {
namespace {

using testing::HasSubstr;
using testing_support::request_of;

const std::string base = "$aws/things/{thing}/jobs";

TopicGrammar topics() {
  return *TopicGrammar::from_base(base);
}

/// A request topic of the thing T.
std::string topic_of(Operation operation, const std::string& job = "job-1") {
  const auto facts = facts_of(operation);
  return "$aws/things/T/jobs/" + (facts.job == NamedJob::none ? "" : job + "/") +
         std::string(facts.verb);
}

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(JOBS_BRIDGE_SOURCE_DIR "/" + file).rdbuf();
  return text.str();
}

TEST(EveryOperationTest, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const auto operation : every_operation) names.insert(to_string(operation));
  EXPECT_EQ(names.size(), operation_count);
}

TEST(EveryOperationTest, IsWhatItsTopicAsksForWhateverTheJobIsCalled) {
  for (const auto operation : every_operation) {
    for (const auto named_alike : every_operation) {
      const std::string job(
          facts_of(named_alike).verb.substr(0, facts_of(named_alike).verb.find('/')));
      const auto topic = topic_of(operation, job);
      const auto parsed = topics().parse(topic);
      const auto* request = std::get_if<TopicRequest>(&parsed);
      ASSERT_NE(request, nullptr) << topic;
      EXPECT_EQ(request->operation, operation) << topic;
      EXPECT_EQ(request->job.has_value(), facts_of(operation).job != NamedJob::none) << topic;
    }
  }
}

TEST(EveryOperationTest, HasItsFilterAndNoTopicThatAReplyMayGoTo) {
  const auto filters = topics().filters();
  ASSERT_EQ(filters.size(), operation_count);
  for (const auto operation : every_operation) {
    auto filter = topic_of(operation, "+");
    filter.replace(filter.find("/T/"), 3, "/+/");
    EXPECT_EQ(filters.at(index_of(operation)), filter);
    EXPECT_FALSE(topics().allows_response(*ThingName::parse("T"), topic_of(operation))) << filter;
  }
}

TEST(EveryOperationTest, TakesNextForAJobOnlyWhereItIsOne) {
  for (const auto operation : every_operation) {
    if (facts_of(operation).job == NamedJob::none) continue;
    const bool taken =
        std::holds_alternative<TopicRequest>(topics().parse(topic_of(operation, "$next")));
    EXPECT_EQ(taken, facts_of(operation).job == NamedJob::by_id_or_next) << to_string(operation);
  }
}

TEST(EveryOperationTest, CallsItsOwnThingAndJobAlone) {
  for (const auto operation : every_operation) {
    const auto call = build_call(request_of(operation, {}, "T", "job-1"));
    EXPECT_TRUE((call.target + "/").starts_with("/things/T/jobs/")) << call.target;
    EXPECT_EQ(call.target.find("/job-1") != std::string::npos,
              facts_of(operation).job != NamedJob::none)
        << call.target;
  }
}

TEST(EveryOperationTest, ReadsWithGetWhichMayBeRepeated) {
  for (const auto operation : every_operation) {
    const auto call = build_call(request_of(operation));
    const bool reads = facts_of(operation).quota == QuotaKind::reads;
    EXPECT_EQ(call.method == "GET", reads) << to_string(operation);
    EXPECT_TRUE(call.repeatable || !reads) << to_string(operation);
  }
}

TEST(EveryOperationTest, IsAllowedByTheBrokersConfigurationAndDescribedInTheDeviceGuide) {
  const auto devices = text_of("deploy/mosquitto/jobs-bridge-devices.acl");
  const auto bridge = text_of("deploy/mosquitto/jobs-bridge.acl");
  const auto guide = text_of("deploy/DEVICE_GUIDE.md");
  for (const auto operation : every_operation) {
    auto topic = topic_of(operation, "+");
    topic.replace(topic.find("/T/"), 3, "/%u/");
    EXPECT_THAT(devices, HasSubstr("\npattern write " + topic + "\n"));
    topic.replace(topic.find("/%u/"), 4, "/+/");
    EXPECT_THAT(bridge, HasSubstr("\ntopic read " + topic + "\n"));
    topic = topic_of(operation, "JOB");
    topic.replace(topic.find("/T/"), 3, "/THING/");
    EXPECT_THAT(guide, HasSubstr("| `" + topic + "`"));
  }
}

}  // namespace
}  // namespace jobs_bridge
