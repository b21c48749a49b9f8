#include "adapters/mosquitto_plugin/asker_mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge::mosquitto_plugin {
namespace {

using testing::Eq;
using testing::Optional;

constexpr std::size_t head = 7;

TEST(AskerMarkTest, WhatIsEncodedIsDecoded) {
  for (const auto& mark : {
           AskerMark{.client_id = "lamp", .qos = 0},
           AskerMark{.client_id = "lamp", .qos = 1, .correlation_data = ""},
           AskerMark{.client_id = "lamp", .qos = 2, .correlation_data = std::string("\0\xff", 2)},
           AskerMark{.client_id = std::string(40000, 'x'),
           .qos = 1,
           .correlation_data = std::string(25000, 'y')},
       }) {
    const auto encoded = encode(mark);
    ASSERT_TRUE(encoded);
    EXPECT_THAT(decode(*encoded), Optional(Eq(mark)));
  }
}

TEST(AskerMarkTest, MarkWithinAMarkComesOutAsItWas) {
  const auto forged = encode({.client_id = "victim", .qos = 1});
  ASSERT_TRUE(forged);
  const auto encoded = encode({.client_id = "forger", .qos = 1, .correlation_data = forged});
  ASSERT_TRUE(encoded);
  const auto decoded = decode(*encoded);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->client_id, "forger");
  EXPECT_EQ(decoded->correlation_data, forged);
}

TEST(AskerMarkTest, MarkFitsUpToTheLongestCorrelationData) {
  const std::string id(100, 'x');
  const std::string longest(max_correlation_data - head - id.size(), 'y');
  const auto encoded = encode({.client_id = id, .qos = 1, .correlation_data = longest});
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->size(), max_correlation_data);
  EXPECT_TRUE(decode(*encoded));
  EXPECT_FALSE(encode({.client_id = id, .qos = 1, .correlation_data = longest + "y"}));
  EXPECT_FALSE(encode({.client_id = std::string(max_correlation_data, 'x'), .qos = 1}));
}

TEST(AskerMarkTest, BytesThatAreNoMarkAreNotDecoded) {
  const auto mark = encode({.client_id = "lamp", .qos = 1, .correlation_data = "own"});
  ASSERT_TRUE(mark);
  const auto with = [&](std::size_t position, char byte) {
    auto changed = *mark;
    changed[position] = byte;
    return changed;
  };
  EXPECT_FALSE(decode(""));
  EXPECT_FALSE(decode("own"));
  for (std::size_t size = 0; size < head + 4; ++size) {
    EXPECT_FALSE(decode(mark->substr(0, size))) << size;
  }
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FALSE(decode(with(i, 'x'))) << i;
  EXPECT_FALSE(decode(with(4, '\x03'))) << "QoS 3";
  EXPECT_FALSE(decode(with(4, '\x08'))) << "a flag of another version";
  EXPECT_FALSE(decode(with(4, '\x01'))) << "Correlation Data that was not there";
  EXPECT_FALSE(decode(with(5, '\x7f'))) << "a client id that ends behind the end";
  EXPECT_FALSE(decode(with(6, '\0'))) << "no client id";
  EXPECT_FALSE(decode(with(head + 1, '\0'))) << "a NUL in the client id";
  EXPECT_FALSE(decode(*mark + std::string(max_correlation_data, 'x'))) << "too long";
}

}  // namespace
}  // namespace jobs_bridge::mosquitto_plugin
