#include "bridge/jobs/status_details.h"

#include <gtest/gtest.h>

namespace jobs_bridge {
namespace {

TEST(StatusDetailsTest, AMapOfStringsStaysByteForByte) {
  for (const std::string value :
       {"{}", "{ }", R"({"step":"2"})", R"({ "a:Z_9-" : "v" , "b":"" })",
        R"({"stderr":"mv: cannot stat 'x'\n\tno such file"})", "{\"k\":\"\x7F\xC2\x85\"}",
        R"({"a b":"\u0000","":"\ud800"})", R"({"a":"1","a":"2"})"}) {
    EXPECT_EQ(read_status_details(value), value);
  }
}

TEST(StatusDetailsTest, HowManyAndHowLongIsTheEndpointsToJudge) {
  std::string many = "{";
  for (int i = 0; i < 5000; ++i) many += "\"k" + std::to_string(i) + "\":\"v\",";
  many += "\"" + std::string(1000, 'k') + "\":\"" + std::string(50'000, 'v') + "\"}";
  EXPECT_EQ(read_status_details(many), many);
}

/// The agent of AWS IoT Device SDK for JavaScript 1 sends its uptime and load so.
TEST(StatusDetailsTest, ANumberOrABooleanBecomesItsText) {
  EXPECT_EQ(read_status_details(R"({"uptime":12.5,"ok":true, "gone" : false,"step":"2"})"),
            R"({"uptime":"12.5","ok":"true","gone":"false","step":"2"})");
  EXPECT_EQ(read_status_details(R"({"a":-0,"b":1.50,"c":1E+5,"d":123456789012345678901234567890})"),
            R"({"a":"-0","b":"1.50","c":"1E+5","d":"123456789012345678901234567890"})");
  EXPECT_EQ(read_status_details(R"({"\u006e":1,"text":"a\nb\u00e9"})"),
            R"({"\u006e":"1","text":"a\nb\u00e9"})");
}

TEST(StatusDetailsTest, APairThatIsNullIsLeftOut) {
  EXPECT_EQ(read_status_details(R"({"a":null})"), "{}");
  EXPECT_EQ(read_status_details(R"({"a":"1","b":null,"c":3})"), R"({"a":"1","c":"3"})");
}

TEST(StatusDetailsTest, OfPairsWithOneNameTheLastCounts) {
  EXPECT_EQ(read_status_details(R"({"a":"old","b":"x","a":null})"), R"({"b":"x"})");
  EXPECT_EQ(read_status_details(R"({"a":null,"b":"x","\u0061":2})"), R"({"b":"x","\u0061":"2"})");
}

TEST(StatusDetailsTest, AnObjectOrAListIsTheEndpointsToJudge) {
  EXPECT_EQ(read_status_details(R"({"a":{"b":null},"c":[1],"d":1})"),
            R"({"a":{"b":null},"c":[1],"d":"1"})");
}

TEST(StatusDetailsTest, WhatIsNoObjectIsNone) {
  for (const auto* value : {"[]", "\"a\"", "1", "true", R"([{"a":"b"}])"}) {
    EXPECT_EQ(read_status_details(value), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace jobs_bridge
