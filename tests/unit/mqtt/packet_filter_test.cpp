#include "adapters/mqtt/packet_filter.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace jobs_bridge::mqtt {
namespace {

std::string prefixed(const std::string& bytes) {
  return std::string{static_cast<char>(bytes.size() >> 8U), static_cast<char>(bytes.size())} +
         bytes;
}

std::string length_of(std::size_t length) {
  std::string bytes;
  do {
    const auto part = length & 0x7FU;
    length >>= 7U;
    bytes += static_cast<char>(part | (length > 0 ? 0x80U : 0U));
  } while (length > 0);
  return bytes;
}

std::string packet(char first, const std::string& body) {
  return first + length_of(body.size()) + body;
}

const std::string kId("\0\7", 2);

std::string publish_5(const std::string& properties, const std::string& payload) {
  return packet('\x32',
                prefixed("a/b") + kId + length_of(properties.size()) + properties + payload);
}
std::string publish_3(const std::string& payload) {
  return packet('\x32', prefixed("a/b") + kId + payload);
}
std::string user_property(const std::string& name, const std::string& value) {
  return '\x26' + prefixed(name) + prefixed(value);
}

const std::string kResponseTopic = '\x08' + prefixed("a/reply");
const std::string kCorrelation = '\x09' + prefixed("c");
const std::string kExpiry("\x02\0\0\0\x05", 5);

/// Reads all through a filter, in pieces of `asked` bytes from a source that has `arrived` more at
/// a time.
std::string filtered(PacketFilter& filter, const std::string& bytes, std::size_t asked = 1000,
                     std::size_t arrived = 1U << 30U) {
  std::size_t at = 0;
  std::size_t there = 0;
  std::string result;
  std::string buffer(asked, '\0');
  const auto source = [&](char* piece, std::size_t most) -> ssize_t {
    const auto part = std::min({most, bytes.size() - at, there});
    if (part == 0) {
      errno = EAGAIN;
      return -1;
    }
    std::copy_n(bytes.data() + at, part, piece);
    at += part;
    there -= part;
    return static_cast<ssize_t>(part);
  };
  while (true) {
    const auto got = filter.read(source, buffer.data(), buffer.size());
    if (got > 0) {
      result.append(buffer, 0, static_cast<std::size_t>(got));
    } else if (at == bytes.size()) {
      return result;
    } else {
      there += std::min(arrived, bytes.size());
    }
  }
}

std::string connack(const std::string& properties) {
  return packet('\x20', std::string("\1\0", 2) + length_of(properties.size()) + properties);
}

class PacketFilterTest : public testing::Test {
 protected:
  PacketFilter filter_{{.payload = 10, .mqtt_5 = true}};
  PacketFilter filter_3_{{.payload = 10, .mqtt_5 = false}};
};

TEST_F(PacketFilterTest, AssignedClientIdentifierIsTakenFromAConnackWhateverElseIsInIt) {
  const auto connack = [](const std::string& properties) {
    return packet('\x20', std::string("\1\0", 2) + length_of(properties.size()) + properties);
  };
  const auto before = std::string("\x21\0\x14\x27\0\0\1\0", 8) + user_property("a", "b");
  const auto after = "\x1F" + prefixed(std::string(120, 'r')) + std::string("\x2A\0", 2);
  const auto assigned = "\x12" + prefixed("other");
  const auto next = publish_5("", "x");
  for (const std::size_t asked : {1U, 2U, 7U, 1000U}) {
    for (const std::size_t arrived : {1U, 3U, 1U << 30U}) {
      PacketFilter filter({.payload = 10, .mqtt_5 = true});
      EXPECT_EQ(filtered(filter, connack(before + assigned + after) + next, asked, arrived),
                connack(before + after) + next);
    }
  }
  EXPECT_EQ(filtered(filter_, connack(assigned)), connack(""));
  const std::string liars[] = {packet('\x20', std::string("\0\0\x7F", 3) + assigned),
                               connack("\x12" + prefixed("ab") + "\4"),
                               connack(assigned + std::string("\x12\0\5", 3)),
                               packet('\x20', std::string("\0\0\x80", 3)),
                               std::string("\x20\0", 2),
                               packet('\x20', "\1")};
  for (const auto& liar : liars) {
    PacketFilter filter({.payload = 10, .mqtt_5 = true});
    EXPECT_EQ(filtered(filter, liar + next), liar + next);
  }
  EXPECT_EQ(filtered(filter_3_, connack(assigned)), connack(assigned));
}

TEST_F(PacketFilterTest, WhatIsWithinTheLimitPassesAsItIsHoweverItArrives) {
  const auto bytes = std::string("\x20\x03\0\0\0", 5) + publish_5("", "") +
                     publish_5(kResponseTopic + kCorrelation + kExpiry, "0123456789") +
                     std::string("\xD0\0", 2) +
                     packet('\x30', prefixed("q/0") + std::string(1, '\0')) +
                     packet('\x90', kId + std::string("\0\1\1", 3)) + publish_5("", "x");
  for (const std::size_t asked : {1U, 2U, 7U, 1000U}) {
    for (const std::size_t arrived : {1U, 3U, 1000U}) {
      PacketFilter filter({.payload = 10, .mqtt_5 = true});
      EXPECT_EQ(filtered(filter, bytes, asked, arrived), bytes) << asked << " " << arrived;
    }
  }
}

TEST_F(PacketFilterTest, OfALargePayloadOneByteMoreThanTheLimitIsLeft) {
  const std::string large(3'000'000, 'x');
  const auto next = publish_5("", "next");
  EXPECT_EQ(filtered(filter_, publish_5(kCorrelation, large) + next),
            publish_5(kCorrelation, std::string(11, 'x')) + next);
  EXPECT_EQ(filtered(filter_, publish_5("", std::string(11, 'x'))),
            publish_5("", std::string(11, 'x')));
  EXPECT_EQ(filter_.truncated(), 1U);
  EXPECT_EQ(filtered(filter_3_, publish_3(large) + publish_3("{}"), 3, 1000),
            publish_3(std::string(11, 'x')) + publish_3("{}"));
}

TEST_F(PacketFilterTest, APacketsNumberIsToldFromItsPropertiesAtEveryQos) {
  for (const char qos : {'\x32', '\x34'}) {
    const auto with = [&](const std::string& properties) {
      return packet(qos, prefixed("a/b") + kId + length_of(properties.size()) + properties + "{}");
    };
    EXPECT_EQ(filtered(filter_, with(user_property("n", "v") + kCorrelation)), with(kCorrelation));
  }
}

TEST_F(PacketFilterTest, UserPropertiesAndSubscriptionIdentifiersAreLeftOut) {
  std::string properties = kExpiry;
  for (int i = 0; i < 50000; ++i) properties += user_property("name", "value");
  properties += kCorrelation + '\x0B' + '\x05' + user_property("", "") + kResponseTopic;
  const auto kept = publish_5(kExpiry + kCorrelation + kResponseTopic, "{}");
  EXPECT_EQ(filtered(filter_, publish_5(properties, "{}") + kept), kept + kept);
  EXPECT_EQ(filtered(filter_, publish_5(user_property(std::string(65535, 'n'), "v"), "{}")),
            publish_5("", "{}"));
}

TEST_F(PacketFilterTest, OfTheUserPropertiesTheFirstTimeOfArrivalAloneIsLeft) {
  const auto arrival = user_property("jobs-bridge-received", "1795976855000");
  const auto others = user_property("name", "value") + user_property("", "");
  for (int piece = 1; piece < 100; ++piece) {
    EXPECT_EQ(
        filtered(filter_, publish_5(others + arrival + kResponseTopic + others + arrival, "{}"),
                 1000, static_cast<std::size_t>(piece)),
        publish_5(arrival + kResponseTopic, "{}"));
  }
  const auto endless = user_property("jobs-bridge-received", std::string(33, '1'));
  EXPECT_EQ(filtered(filter_, publish_5(endless + kResponseTopic, "{}")),
            publish_5(kResponseTopic, "{}"));
}

TEST_F(PacketFilterTest, PropertiesThatAreNoneOfAPublishStayForTheLibraryToJudge) {
  for (const auto* wrong : {"\x7F\1", "\x11\1\1\1\1", "\x08\1\1"}) {
    const auto bytes = publish_5(kCorrelation + wrong, "{}");
    EXPECT_EQ(filtered(filter_, bytes), bytes);
  }
  const auto twice = publish_5(kCorrelation + kCorrelation, std::string(100, 'x'));
  EXPECT_EQ(filtered(filter_, twice), twice) << "not a part of it";
  // The text of the property is longer than all properties, and as long as the packet.
  const auto too_long = packet(
      '\x32', prefixed("a/b") + kId + length_of(5) + "\x08" + prefixed(std::string(40, 'r')));
  EXPECT_EQ(filtered(filter_, too_long), too_long);
  // A user property before it is gone, and the lengths are still true.
  EXPECT_EQ(filtered(filter_, publish_5(user_property("n", "v") + "\x7F\1", "{}")),
            publish_5("\x7F\1", "{}"));
}

TEST_F(PacketFilterTest, PacketsThatEndTooSoonStayForTheLibraryToJudge) {
  for (const auto& body : {std::string("\0", 1),
                           std::string("\0\x05"
                                       "ab",
                                       4),
                           prefixed("a/b"), prefixed("a/b") + kId, prefixed("a/b") + kId + "\x80",
                           prefixed("a/b") + kId + "\x7F\x09"}) {
    const auto bytes = packet('\x32', body) + publish_5("", "{}");
    EXPECT_EQ(filtered(filter_, bytes), bytes);
  }
  EXPECT_EQ(filtered(filter_, std::string("\x32\0", 2)), std::string("\x32\0", 2));
}

TEST_F(PacketFilterTest, WhatIsNoMqttPassesFromThereOn) {
  const auto bytes = "\x32\xFF\xFF\xFF\xFF\xFF\xFF" + publish_5("", std::string(100, 'x'));
  EXPECT_EQ(filtered(filter_, bytes, 3, 5), bytes);
}

TEST_F(PacketFilterTest, TheSourceIsAskedForNothingBehindThePacket) {
  std::size_t max_asked = 0;
  const auto bytes = publish_5("", "{}");
  std::size_t at = 0;
  const auto source = [&](char* piece, std::size_t most) -> ssize_t {
    max_asked = std::max(max_asked, at + most);
    std::copy_n(bytes.data() + at, most, piece);
    at += most;
    return static_cast<ssize_t>(most);
  };
  std::string buffer(bytes.size(), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    got += static_cast<std::size_t>(filter_.read(source, buffer.data(), 1));
  }
  EXPECT_EQ(max_asked, bytes.size());
}

TEST_F(PacketFilterTest, AServerKeepAliveThatIsNoneOrLongerThanOursIsLeftOut) {
  const std::string before = '\x1F' + prefixed("reason") + std::string("\x21\0\x14", 3);
  const std::string after = std::string("\x22\0\x0A", 3) + user_property("a", "b") + "\x2A\1";
  const auto with = [&](char high, char low) {
    return connack(before + std::string{'\x13', high, low} + after);
  };
  for (const std::size_t asked : {1U, 2U, 1000U}) {
    for (const std::size_t arrived : {1U, 3U, 1000U}) {
      PacketFilter filter({.payload = 10, .mqtt_5 = true, .keep_alive = std::chrono::seconds(15)});
      const auto none = filtered(filter, with(0, 0) + publish_5("", "x"), asked, arrived);
      EXPECT_EQ(none, connack(before + after) + publish_5("", "x")) << asked << " " << arrived;
      EXPECT_EQ(filtered(filter, with(1, 15), asked, arrived), connack(before + after));
      EXPECT_EQ(filtered(filter, with(0, 16), asked, arrived), connack(before + after));
      EXPECT_EQ(filtered(filter, with(0, 15), asked, arrived), with(0, 15));
      EXPECT_EQ(filtered(filter, with(0, 1), asked, arrived), with(0, 1));
    }
  }
}

TEST_F(PacketFilterTest, AConnackThatIsNoneOfMqttsPassesAsItIs) {
  const std::string none("\x13\0\0", 3);
  for (const auto& odd :
       {packet('\x20', ""), packet('\x20', "\1"), packet('\x20', std::string("\1\0", 2)),
        packet('\x20', std::string("\1\0\x80\x80\x80\x80", 6)),
        packet('\x20', std::string("\1\0\4", 3) + none), connack('\x40' + none),
        connack(none.substr(0, 2)), connack('\x12' + std::string("\0\7", 2) + none),
        connack(std::string(5000, '\x26') + none)}) {
    EXPECT_EQ(filtered(filter_, odd + publish_5("", "x"), 3, 2), odd + publish_5("", "x"));
  }
  EXPECT_EQ(filtered(filter_3_, connack(none)), connack(none)) << "MQTT 3.1.1 has no properties";
}

}  // namespace
}  // namespace jobs_bridge::mqtt
