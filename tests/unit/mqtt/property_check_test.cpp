#include "adapters/mqtt/property_check.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace jobs_bridge::mqtt {
namespace {

using namespace std::string_literals;

/// A packet of less than 128 bytes.
std::string packet_with(char first, const std::string& body) {
  return first + std::string(1, static_cast<char>(body.size())) + body;
}
std::string properties(const std::string& bytes) {
  return std::string(1, static_cast<char>(bytes.size())) + bytes;
}

bool passes(const std::string& bytes, std::size_t piece) {
  PropertyCheck check;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!check.take(std::string_view(bytes).substr(at, piece))) return false;
  }
  return true;
}

const std::string every_property =
    "\1\1"s
    "\2\0\0\0\1"s
    "\3\0\1t"s
    "\x08\0\1r"s
    "\x09\0\2\xFF\xFF"s
    "\x0B\x80\x01"s
    "\x11\0\0\0\1"s
    "\x12\0\1i"s
    "\x13\0\1"s
    "\x15\0\1a"s
    "\x16\0\1b"s
    "\x17\1"s
    "\x18\0\0\0\1"s
    "\x19\1"s
    "\x1A\0\0"s
    "\x1C\0\1s"s
    "\x1F\0\2xy"s
    "\x21\0\1"s
    "\x22\0\1"s
    "\x23\0\1"s
    "\x24\1"s
    "\x25\1"s
    "\x26\0\1k\0\1v"s
    "\x27\0\0\0\1"s
    "\x28\1"s
    "\x29\1"s
    "\x2A\1"s;

/// With a body in front of its properties, and something behind them.
struct Place {
  const char* name;
  char first;
  std::string before;
  std::string after;
};
const Place places[] = {{"CONNACK", '\x20', "\0\0"s, ""},
                        {"PUBLISH", '\x30', "\0\1t"s, "\xFF\xFF"},
                        {"PUBLISH at QoS 1", '\x32', "\0\1t\0\7"s, "{}"},
                        {"PUBACK", '\x40', "\0\7\0"s, ""},
                        {"SUBACK", '\x90', "\0\7"s, "\xFF\1"},
                        {"UNSUBACK", '\xB0', "\0\7"s, "\xFF"},
                        {"DISCONNECT", '\xE0', "\0"s, ""},
                        {"AUTH", '\xF0', "\0"s, ""}};

TEST(PropertyCheckTest, EveryPropertyOfMqtt5PassesInEveryPacketHoweverItIsCut) {
  for (const auto& [name, first, before, after] : places) {
    const auto one = packet_with(first, before + properties(every_property) + after);
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
      EXPECT_TRUE(passes(one + one + packet_with('\xD0', "") + one, piece)) << name << piece;
    }
  }
}

TEST(PropertyCheckTest, OneThatMqtt5DoesNotHaveIsFoundInEveryPacketHoweverItIsCut) {
  for (const auto& [name, first, before, after] : places) {
    const auto good = packet_with(first, before + properties("") + after);
    for (const auto& identifier : {"\0"s, "\4"s, "\x2B"s, "\x7F"s, "\x81\x01"s}) {
      const auto bad =
          packet_with(first, before + properties("\x26\0\1k\0\1v"s + identifier + "\1") + after);
      for (const std::size_t piece : {1U, 2U, 5U, 1000U}) {
        EXPECT_FALSE(passes(good + bad, piece)) << name << piece;
      }
    }
  }
}

TEST(PropertyCheckTest, LimitOfZeroIsFoundInAConnackAloneHoweverItIsCut) {
  for (const auto& [limit, words] : {std::pair{"\x21\0\0"s, "its Receive Maximum is 0"},
                                     std::pair{"\x27\0\0\0\0"s, "its Maximum Packet Size is 0"}}) {
    const auto zero = properties("\x13\0\0\x22\0\0"s + limit + "\x2A\1");
    for (const std::size_t piece : {1U, 2U, 5U, 1000U}) {
      EXPECT_FALSE(passes(packet_with('\x20', "\0\0"s + zero), piece)) << words << piece;
      EXPECT_TRUE(passes(packet_with('\xE0', "\0"s + zero), piece)) << words << piece;
    }
    PropertyCheck check;
    check.take(packet_with('\x20', "\0\0"s + zero));
    EXPECT_EQ(check.fault(), words);
  }
  for (const auto& limit : {"\x21\1\0"s, "\x21\0\1"s, "\x27\0\1\0\0"s}) {
    EXPECT_TRUE(passes(packet_with('\x20', "\0\0"s + properties(limit)), 1));
  }
}

TEST(PropertyCheckTest, PacketWithoutPropertiesOrOfNoKnownKindPasses) {
  for (const auto& bytes :
       {packet_with('\x40', "\0\7"s), packet_with('\x40', "\0\7\x10"s), packet_with('\xE0', ""),
        packet_with('\xE0', "\x8B"), packet_with('\xD0', ""), packet_with('\xA5', "\4\4\4"),
        packet_with('\x32', "\0\1t\0\7"s + "\0"s), "\xA5\xA5\xA5\xA5\xA5\xA5"s}) {
    EXPECT_TRUE(passes(bytes, 1));
    EXPECT_TRUE(passes(bytes, 100));
  }
}

TEST(PropertyCheckTest, NothingIsFoundBehindALengthThatIsNone) {
  // 12 in five bytes, of which MQTT allows four.
  const auto bytes = "\x20\x8C\x80\x80\x80\0"s + "\0\0\2\4\1"s;
  EXPECT_TRUE(passes(bytes, 1));
  EXPECT_TRUE(passes(bytes, 100));
}

TEST(PropertyCheckTest, LengthsThatLieAreLeftToTheLibraryAndTheNextPacketIsLookedAt) {
  const auto bad = packet_with('\x20', "\0\0\2\4\1"s);
  for (const auto& liar :
       {packet_with('\x20', "\0\0\x7F\x1F\0\1"s), packet_with('\x30', "\x7F\xFF"s),
        packet_with('\x20', "\0\0\2\x1F\0\5"s), packet_with('\x20', "\0\0\x80"s)}) {
    EXPECT_TRUE(passes(liar, 1));
    EXPECT_FALSE(passes(liar + bad, 1));
    EXPECT_FALSE(passes(liar + bad, 100));
  }
}

}  // namespace
}  // namespace jobs_bridge::mqtt
