#pragma once

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {

/// A site whose broker has loaded our plugin. `device` is subscribed to all replies and asks for
/// nothing, unless a test has it ask.
inline Site::Options with_plugin(Site::Options options = {}) {
  options.broker.with_plugin = true;
  return options;
}

inline std::string update_topic(const std::string& thing, const std::string& job) {
  return "$aws/things/" + thing + "/jobs/" + job + "/update";
}

/// The reply to the asker's request; a failure and an empty one if none comes.
inline MqttDevice::Received reply_to(MqttDevice& asker, const std::string& topic,
                                     std::string_view payload = "{}", int qos = 1) {
  asker.publish(topic, payload, qos);
  auto reply = asker.next();
  EXPECT_TRUE(reply) << "no reply to " << topic;
  return reply.value_or(MqttDevice::Received{});
}

/// Whether all that came for this asker has been taken: the reply to one more request of its own is
/// the next that comes, and the only one.
inline testing::AssertionResult has_heard_all(MqttDevice& asker) {
  const auto topic = start_next_topic("the-last");
  for (const auto* token : {"first", "second"}) {
    asker.publish(topic, std::string(R"({"clientToken":")") + token + "\"}");
    const auto reply = asker.next();
    if (!reply) return testing::AssertionFailure() << "no reply at all";
    if (!reply->topic.starts_with(topic) || token_of(*reply) != token) {
      return testing::AssertionFailure() << reply->topic << " " << reply->payload;
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace jobs_bridge::testing_support
