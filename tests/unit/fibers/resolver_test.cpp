#include "adapters/net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace jobs_bridge::net {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using Addresses = Result<std::vector<std::string>, std::string>;

MonotonicTime in(Duration timeout) {
  return std::chrono::steady_clock::now() + timeout;
}

TEST(ResolverTest, LiteralAddressIsItsOwnAnswerInItsUsualForm) {
  const std::map<std::string, std::string> addresses = {
      {"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}, {"0:0:0:0:0:0:0:1", "::1"}};
  for (const auto& [address, usual] : addresses) {
    Resolver resolver(address, [](const std::string&) -> Addresses {
      ADD_FAILURE() << "looked up";
      return std::vector<std::string>();
    });
    const auto found = resolver.addresses(in(0s));
    ASSERT_TRUE(found) << address;
    EXPECT_THAT(*found, ElementsAre(usual));
  }
}

TEST(ResolverTest, SystemKnowsLocalhost) {
  Resolver resolver("localhost");
  const auto found = resolver.addresses(in(10s));
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, Contains("127.0.0.1"));
}

TEST(ResolverTest, NameThatDoesNotExistIsAFault) {
  Resolver resolver("no-such-host.invalid");
  const auto found = resolver.addresses(in(20s));
  ASSERT_FALSE(found);
  EXPECT_FALSE(found.error().stopped);
  EXPECT_FALSE(found.error().cause.empty());
}

TEST(ResolverTest, ResultServesForAsLongAsItIsTold) {
  for (const auto& [serves_for, expected] : std::map<Duration, int>{{1h, 1}, {0s, 3}}) {
    auto lookups = std::make_shared<std::atomic<int>>(0);
    Resolver resolver(
        "name.test",
        [lookups](const std::string&) -> Addresses {
          ++*lookups;
          return std::vector<std::string>{"127.0.0.1"};
        },
        serves_for);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(resolver.addresses(in(10s)));
    EXPECT_EQ(*lookups, expected);
  }
}

TEST(ResolverTest, StopEndsTheWaitOfAThread) {
  auto reached = std::make_shared<std::promise<void>>();
  auto end = std::make_shared<std::promise<void>>();
  Resolver resolver("name.test", [reached, end](const std::string&) -> Addresses {
    reached->set_value();
    end->get_future().wait();
    return std::vector<std::string>{"127.0.0.1"};
  });
  auto waiting = std::async(std::launch::async, [&] { return resolver.addresses(in(1h)); });
  reached->get_future().wait();
  resolver.stop();
  const auto found = waiting.get();
  ASSERT_FALSE(found);
  EXPECT_TRUE(found.error().stopped);
  end->set_value();
}

}  // namespace
}  // namespace jobs_bridge::net
