#include "tests/endpoint/names.h"

#include <gtest/gtest.h>

#include "tests/endpoint/service_error.h"

namespace jobs_endpoint {
namespace {

TEST(EndpointNamesTest, ThingNamesMayHoldColonsAndJobIdsMayNot) {
  EXPECT_TRUE(is_thing_name("my:thing_1-A"));
  EXPECT_TRUE(is_job_id("my_job-1"));
  EXPECT_FALSE(is_job_id("my:job"));
}

TEST(EndpointNamesTest, NamesHaveTheLengthsOfTheModel) {
  EXPECT_TRUE(is_thing_name(std::string(128, 'a')));
  EXPECT_FALSE(is_thing_name(std::string(129, 'a')));
  EXPECT_TRUE(is_job_id(std::string(64, 'a')));
  EXPECT_FALSE(is_job_id(std::string(65, 'a')));
  EXPECT_FALSE(is_thing_name(""));
  EXPECT_FALSE(is_job_id(""));
}

TEST(EndpointNamesTest, OtherCharactersAreRefused) {
  for (const char* name : {"a b", "a/b", "$next", "a.b", "\xC3\xA4", "a\n", "a%3Ab"}) {
    EXPECT_FALSE(is_thing_name(name)) << name;
  }
}

TEST(EndpointNamesTest, ErrorNamesTheMember) {
  try {
    require_thing_name("a b");
    FAIL() << "a name with a space was accepted";
  } catch (const ServiceError& error) {
    EXPECT_EQ(error.status(), 400);
    EXPECT_EQ(error.type(), "InvalidRequestException");
    EXPECT_STREQ(error.what(),
                 "1 validation error detected: Value 'a b' at 'thingName' failed to satisfy "
                 "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+");
  }
}

TEST(EndpointNamesTest, ThingIsReadFromItsArn) {
  EXPECT_EQ(thing_of_arn("arn:aws:iot:eu-west-1:123456789012:thing/a:b"), "a:b");
  EXPECT_EQ(thing_of_arn("arn:aws-cn:iot:cn-north-1:123456789012:thing/a"), "a");
}

TEST(EndpointNamesTest, OtherArnsAreNoThings) {
  for (const char* arn :
       {"", "thing", "arn:aws:iot:eu-west-1:123456789012:thinggroup/a",
        "arn:aws:iot:eu-west-1:123456789012:thing/", "arn:aws:iot:eu-west-1:123456789012:thing/a/b",
        "arn:aws:s3:eu-west-1:123456789012:thing/a", "arn:aws:iot:thing/a"}) {
    EXPECT_EQ(thing_of_arn(arn), std::nullopt) << arn;
  }
}

TEST(EndpointNamesTest, JobStandsWhereItsFirstThingStands) {
  EXPECT_EQ(job_arn_beside("arn:aws:iot:eu-west-1:123456789012:thing/a", "j"),
            "arn:aws:iot:eu-west-1:123456789012:job/j");
}

TEST(EndpointNamesTest, ThingStandsWhereItsJobStands) {
  EXPECT_EQ(thing_arn_beside("arn:aws-cn:iot:cn-north-1:1:job/j", "a:job/b"),
            "arn:aws-cn:iot:cn-north-1:1:thing/a:job/b");
}

TEST(EndpointNamesTest, LengthCountsCharactersNotBytes) {
  EXPECT_EQ(character_count("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), 4U);
}

TEST(EndpointNamesTest, ControlFormatAndPrivateCharactersAreInvisible) {
  EXPECT_TRUE(has_only_visible_characters("plain text, \xC3\xA4 \xF0\x9F\x98\x80"));
  for (const char* text : {"a\nb", "\t", "\x7F", "\xC2\x85", "\xC2\xAD", "\xE2\x80\x8B",
                           "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF3\xA0\x80\x81"}) {
    EXPECT_FALSE(has_only_visible_characters(text));
  }
}

}  // namespace
}  // namespace jobs_endpoint
