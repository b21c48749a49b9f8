#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/jobs/answer.h"
#include "bridge/jobs/json_text.h"
#include "tests/unit/jobs/fixtures.h"

/// The job document on its way through an answer: the JSON inside a string on HTTP, that JSON
/// itself, byte for byte, on MQTT.
namespace jobs_bridge {
namespace {

using testing_support::answer_to;
using testing_support::request_of;
using testing_support::response;

/// What becomes of `value`, the JSON text of jobDocument in the endpoint's answer.
std::string passed_on(const std::string& value) {
  const auto answer = answer_to(request_of(Operation::start_next),
                                response(200, R"({"execution":{"jobDocument":)" + value + "}}"));
  const auto* accepted = std::get_if<Accepted>(&answer);
  if (accepted == nullptr) return "rejected: " + std::get<Rejection>(answer).detail;
  const std::string_view start = R"("execution":{"jobDocument":)";
  EXPECT_TRUE(accepted->members.starts_with(start)) << accepted->members;
  EXPECT_TRUE(json_text::members_of("{" + accepted->members + "}")) << accepted->members;
  return accepted->members.substr(start.size(), accepted->members.size() - start.size() - 1);
}

TEST(JobDocumentTest, ArrivesByteForByte) {
  for (const std::string document :
       {R"({})", R"({"operation":"reboot"})", R"({ "z" : 1 , "a" : [ 1,2 ] , "m":{"y":0,"b":{}} })",
        R"({"n":9007199254740993,"m":123456789012345678901234567890})",
        R"({"x":1.10,"y":-0,"z":1E+05})", R"({"big":1e400,"small":1e-400})",
        R"({"s":"\"\\\/\b\f\n\r\t"})", R"({"u":"\u00e9\u0000"})",
        R"({"pair":"\ud83d\ude00","half":"\ud800","low":"\udc00x"})", R"({"a":1,"a":2})",
        "{\"s\":\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \x7F\"}", "\t{\n  \"a\": 1\r\n}\n",
        R"({"nested":"{\"inner\":\"{\\\"deep\\\":1}\"}"})", R"([1,{"a":2}])", R"("text")", "17",
        "true"}) {
    EXPECT_EQ(passed_on(json_text::encode_string(document)), document);
  }
}

TEST(JobDocumentTest, EscapesOfTheOuterStringAreResolvedOnceAndOnlyOnce) {
  EXPECT_EQ(passed_on(R"("\u007b\u0022a\u0022:\u0022\u00e9\\u00e9\u0022}")"),
            "{\"a\":\"\xC3\xA9\\u00e9\"}");
  EXPECT_EQ(passed_on(R"("{\"e\":\"\ud83d\ude00\"}")"), "{\"e\":\"\xF0\x9F\x98\x80\"}");
  EXPECT_EQ(passed_on(R"("{\"path\":\"a\/b\\\/c\\\\d\"}")"), R"({"path":"a/b\/c\\d"})");
}

TEST(JobDocumentTest, TheLongestDocumentArrives) {
  std::string ascii = R"({"a":")" + std::string(32768 - 8, 'x') + "\"}";
  ASSERT_EQ(ascii.size(), 32768U);
  EXPECT_EQ(passed_on(json_text::encode_string(ascii)), ascii);
  std::string wide = R"({"a":")";
  for (int i = 0; i < 32760; ++i) wide += "\xF0\x9F\x98\x80";
  wide += "\"}";
  EXPECT_EQ(passed_on(json_text::encode_string(wide)), wide);
  std::string quotes = R"({"a":")";
  for (int i = 0; i < 16380; ++i) quotes += "\\\"";
  quotes += "\"}";
  EXPECT_EQ(passed_on(json_text::encode_string(quotes)), quotes);
}

TEST(JobDocumentTest, DeepNestingArrives) {
  const auto deep = std::string(16384, '[') + std::string(16384, ']');
  EXPECT_EQ(passed_on(json_text::encode_string(deep)), deep);
}

TEST(JobDocumentTest, WhatHoldsNoJsonStaysTheStringItIs) {
  for (const std::string value :
       {R"("")", R"(" ")", R"("reboot now")", R"("{\"a\":1")", R"("{'a':1}")", R"("{}x")",
        R"("\ufeff{}")", R"("{\"a\":\"\u0000\"}")", R"("{\"a\":\"\n\"}")",
        R"("{\"a\":\"\ud800\"}")", R"("\udc00")"}) {
    EXPECT_EQ(passed_on(value), value);
  }
}

TEST(JobDocumentTest, WhatIsNoStringStaysAsItIs) {
  for (const std::string value : {R"({"b" : 1e400, "a":"\ud800"})", "[1, 2]", "5"}) {
    EXPECT_EQ(passed_on(value), value);
  }
}

TEST(JobDocumentTest, AnUpdatesDocumentIsTreatedAlike) {
  const auto answer =
      answer_to(request_of(Operation::update), response(200, R"({"jobDocument":"{\"n\":1e400}"})"));
  ASSERT_TRUE(std::holds_alternative<Accepted>(answer));
  EXPECT_EQ(std::get<Accepted>(answer).members, R"("jobDocument":{"n":1e400})");
}

TEST(JobDocumentTest, AMemberOfThatNameElsewhereIsNotTouched) {
  const auto answer =
      answer_to(request_of(Operation::describe),
                response(200, R"({"execution":{"statusDetails":{"jobDocument":"{}"}}})"));
  ASSERT_TRUE(std::holds_alternative<Accepted>(answer));
  EXPECT_EQ(std::get<Accepted>(answer).members,
            R"("execution":{"statusDetails":{"jobDocument":"{}"}})");
}

}  // namespace
}  // namespace jobs_bridge
