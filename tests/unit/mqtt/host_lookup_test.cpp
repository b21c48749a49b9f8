#include "adapters/mqtt/host_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const auto never = [] { return false; };

TEST(HostLookupTest, LiteralAddressIsItsOwnAnswer) {
  for (const std::string address : {"127.0.0.1", "::1"}) {
    HostLookup lookup(address);
    const auto outcome = lookup.find(0ms, never);
    EXPECT_FALSE(outcome.fault);
    EXPECT_THAT(outcome.addresses, ElementsAre(address));
  }
}

TEST(HostLookupTest, NameIsLookedUpAgainAndAgainIpv4First) {
  HostLookup lookup("localhost");
  for (int i = 0; i < 2; ++i) {
    const auto outcome = lookup.find(10s, never);
    EXPECT_FALSE(outcome.fault);
    ASSERT_THAT(outcome.addresses, Not(IsEmpty()));
    EXPECT_EQ(outcome.addresses.front(), "127.0.0.1");
  }
}

TEST(HostLookupTest, NameThatDoesNotExistIsAFault) {
  HostLookup lookup("no-such-host.invalid");
  const auto outcome = lookup.find(20s, never);
  ASSERT_TRUE(outcome.fault);
  EXPECT_EQ(outcome.fault->kind, BrokerFault::Kind::unresolved);
  EXPECT_THAT(outcome.addresses, IsEmpty());
}

}  // namespace
}  // namespace jobs_bridge::mqtt
