#include "adapters/mqtt/publication_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge::mqtt {
namespace {

using testing::HasSubstr;
using testing::Optional;

constexpr std::size_t no_maximum = 268435460;

std::optional<std::string> detail_of(const Publication& publication, bool mqtt_5,
                                     std::size_t maximum_packet_size) {
  const auto refusal = check_publication(publication, mqtt_5, maximum_packet_size);
  return refusal ? std::optional(refusal->detail) : std::nullopt;
}

TEST(PublicationCheckTest, WhatOnlyThisBrokerRefusesIsToldFromWhatNoneTakes) {
  const Publication large{.topic = "a", .payload = std::string(100, 'x')};
  EXPECT_EQ(check_publication(large, true, 50)->kind, Refusal::Kind::too_large);
  EXPECT_EQ(check_publication({.topic = "#", .payload = {}}, true, 50)->kind,
            Refusal::Kind::malformed);
}

TEST(PublicationCheckTest, OrdinaryPublicationIsInOrder) {
  EXPECT_FALSE(
      check_publication({.topic = "$aws/things/a/jobs/get/accepted", .payload = "{}"}, true, 100));
}

TEST(PublicationCheckTest, TopicThatNoBrokerTakesIsAFault) {
  EXPECT_THAT(detail_of({.topic = "", .payload = {}}, true, no_maximum),
              Optional(HasSubstr("empty")));
  for (const auto& topic : {std::string("a/+"), std::string("a/#"), std::string("a\0b", 3)}) {
    EXPECT_THAT(detail_of({.topic = topic, .payload = {}}, false, no_maximum),
                Optional(HasSubstr("wildcard")));
  }
  EXPECT_FALSE(
      check_publication({.topic = std::string(65535, 'x'), .payload = {}}, true, no_maximum));
  EXPECT_THAT(detail_of({.topic = std::string(65536, 'x'), .payload = {}}, true, no_maximum),
              Optional(HasSubstr("65535")));
}

TEST(PublicationCheckTest, CorrelationDataIsBoundedAndCountsOverMqtt5Only) {
  const Publication publication{
      .topic = "a", .payload = "", .correlation_data = std::string(65536, 'x')};
  EXPECT_THAT(detail_of(publication, true, no_maximum), Optional(HasSubstr("correlation")));
  EXPECT_FALSE(check_publication(publication, false, 10));
}

TEST(PublicationCheckTest, ContentTypeIsBoundedPrintableAndCountsOverMqtt5Only) {
  Publication publication{.topic = "a", .payload = "", .content_type = std::string(65535, 'x')};
  EXPECT_FALSE(check_publication(publication, true, no_maximum));
  publication.content_type += 'x';
  EXPECT_THAT(detail_of(publication, true, no_maximum),
              Optional(HasSubstr("the content type is longer than 65535 bytes")));
  EXPECT_FALSE(check_publication(publication, false, 10));
  for (const auto& type : {std::string("a\0b", 3), std::string("\xC3\xBC"), std::string("a\n")}) {
    publication.content_type = type;
    EXPECT_THAT(detail_of(publication, true, no_maximum),
                Optional(HasSubstr("the content type is not printable ASCII")));
    EXPECT_FALSE(check_publication(publication, false, 10));
  }
}

TEST(PublicationCheckTest, SizeIsThatOfThePacketToTheByte) {
  // 1 type, 1 length, 2 + 1 topic, 2 packet id
  EXPECT_EQ(packet_size({.topic = "a", .payload = ""}, false), 7U);
  EXPECT_EQ(packet_size({.topic = "a", .payload = ""}, true), 8U);  // 1 length of properties
  EXPECT_EQ(packet_size({.topic = "a", .payload = "", .correlation_data = "xy"}, true), 13U);
  EXPECT_EQ(packet_size({.topic = "a", .payload = "", .content_type = "xy"}, true), 13U);
  EXPECT_EQ(packet_size({.topic = "a", .payload = "", .content_type = "xy"}, false), 7U);
  const Publication both{
      .topic = "a", .payload = "", .correlation_data = "xy", .content_type = "xyz"};
  EXPECT_EQ(packet_size(both, true), 19U);
  // The length of the properties grows at 128, too.
  const auto with = [](std::size_t length) {
    return packet_size({.topic = "a", .payload = "", .content_type = std::string(length, 'x')},
                       true);
  };
  EXPECT_EQ(with(117), 128U);
  EXPECT_EQ(with(124), 136U);
  EXPECT_EQ(with(125), 138U);
  // The length field grows at 128, 16,384 and 2,097,152.
  EXPECT_EQ(packet_size({.topic = "a", .payload = std::string(122, 'x')}, false), 129U);
  EXPECT_EQ(packet_size({.topic = "a", .payload = std::string(123, 'x')}, false), 131U);
  EXPECT_EQ(packet_size({.topic = "a", .payload = std::string(16378, 'x')}, false), 16386U);
  EXPECT_EQ(packet_size({.topic = "a", .payload = std::string(16379, 'x')}, false), 16388U);
}

TEST(PublicationCheckTest, PacketLargerThanTheBrokersMaximumIsAFaultThatNamesBoth) {
  const Publication publication{.topic = "a", .payload = "x"};
  EXPECT_FALSE(check_publication(publication, false, 8));
  EXPECT_THAT(detail_of(publication, false, 7), Optional(HasSubstr("8 bytes")));
  EXPECT_THAT(detail_of(publication, false, 7), Optional(HasSubstr("maximum, 7")));
}

}  // namespace
}  // namespace jobs_bridge::mqtt
