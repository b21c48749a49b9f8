#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/mosquitto_plugin/decision.h"

namespace jobs_bridge::mosquitto_plugin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PluginOptionsTest, DefaultsAreTheBridges) {
  const auto options = read_options({});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->bridges, ElementsAre("jobs-bridge"));
  EXPECT_TRUE(options->grammar.brings_in("$aws/things/lamp/jobs/start-next"));
  EXPECT_FALSE(options->also_subscribers);
}

TEST(PluginOptionsTest, EveryBridgeHasALineOfItsOwn) {
  const auto options = read_options({{"bridge", "gateway 1"},
                                     {"also_subscribers", "true"},
                                     {"topics_base", "fleet/{thing}/jobs"},
                                     {"bridge", "gateway-2"}});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->bridges, ElementsAre("gateway 1", "gateway-2"));
  EXPECT_TRUE(options->grammar.brings_in("fleet/lamp/jobs/get"));
  EXPECT_FALSE(options->grammar.brings_in("$aws/things/lamp/jobs/get"));
  EXPECT_TRUE(options->also_subscribers);
}

TEST(PluginOptionsTest, FaultNamesTheLineAndWhatWouldBeRight) {
  const auto fault = [](const std::vector<OptionLine>& lines) {
    const auto options = read_options(lines);
    return options ? std::string("none") : options.error();
  };
  EXPECT_THAT(fault({{"bridges", "a"}}),
              HasSubstr("unknown option plugin_opt_bridges; the options are"));
  EXPECT_THAT(fault({{"also_subscribers", "yes"}}),
              HasSubstr("plugin_opt_also_subscribers is \"yes\"; it must be true or false"));
  EXPECT_THAT(fault({{"topics_base", "$aws/things/jobs"}}),
              HasSubstr("plugin_opt_topics_base must contain the level {thing} exactly once"));
  EXPECT_THAT(fault({{"topics_base", "a/{thing}"}, {"topics_base", "b/{thing}"}}),
              HasSubstr("plugin_opt_topics_base is given twice"));
  EXPECT_THAT(fault({{"also_subscribers", "true"}, {"also_subscribers", "false"}}),
              HasSubstr("plugin_opt_also_subscribers is given twice"));
}

}  // namespace
}  // namespace jobs_bridge::mosquitto_plugin
