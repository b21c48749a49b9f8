#include "adapters/mqtt/acl_hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobs_bridge::mqtt {
namespace {

using testing::HasSubstr;
using testing::Not;

BrokerSettings of_bridge(BrokerSettings::Protocol protocol) {
  BrokerSettings settings;
  settings.protocol = protocol;
  settings.username = "gateway";
  settings.canary_topic = "canary/b";
  settings.test_topics.requests = {"base/~self-test~b/jobs/start-next"};
  settings.test_topics.reply_filters = {"base/~self-test~b/jobs/start-next/+"};
  settings.test_topics.request_filters = {"base/+/jobs/start-next", "base/+/jobs/+/get"};
  settings.test_topics.everything = "base/+/jobs/#";
  return settings;
}

TEST(AclHintsTest, TheyHaveTheLinesOfThisBridgesTopicsAndUser) {
  const auto hints = acl_hints(of_bridge(BrokerSettings::Protocol::v5));
  EXPECT_THAT(hints.canary, HasSubstr("\"user gateway\", \"topic readwrite canary/b\""));
  EXPECT_THAT(hints.requests,
              HasSubstr("\"user gateway\", \"topic read base/+/jobs/start-next\", \"topic read "
                        "base/+/jobs/+/get\", \"topic write base/+/jobs/#\""));
  EXPECT_THAT(hints.replies, HasSubstr("\"topic write base/+/jobs/#\""));
  EXPECT_THAT(hints.replies, Not(HasSubstr("self-test"))) << "the broker says what it refuses";
}

TEST(AclHintsTest, OverMqtt311TheSelfTestsRepliesMustBeReadable) {
  const auto hints = acl_hints(of_bridge(BrokerSettings::Protocol::v3_1_1));
  EXPECT_THAT(hints.replies, HasSubstr("\"topic read base/~self-test~b/jobs/start-next/+\""));
}

TEST(AclHintsTest, WithoutAUserThereIsNoLineForOne) {
  auto settings = of_bridge(BrokerSettings::Protocol::v5);
  settings.username.clear();
  EXPECT_THAT(acl_hints(settings).canary, Not(HasSubstr("\"user ")));
}

}  // namespace
}  // namespace jobs_bridge::mqtt
