#include "bridge/jobs/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge::json_text {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

/// The members as `key=value` texts, or the fault as `message@offset`.
std::vector<std::string> read(std::string_view text) {
  const auto members = members_of(text);
  if (!members) return {members.error().message + "@" + std::to_string(members.error().offset)};
  std::vector<std::string> lines;
  for (const auto& member : *members) {
    lines.push_back(std::string(member.key) + "=" + std::string(member.value));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(MembersOfTest, SpansAreExactAndInOrder) {
  EXPECT_EQ(read(R"({})"), Lines{});
  EXPECT_EQ(read(" \t\r\n{ \n } \t"), Lines{});
  EXPECT_EQ(read(R"( { "b" : 1 ,"a":  [1, {"x" : 2} ]  , "c":"q\"}" , "b":null} )"),
            (Lines{"b=1", R"(a=[1, {"x" : 2} ])", R"(c="q\"}")", "b=null"}));
  EXPECT_EQ(read(R"({"n":-0.50E+007,"t":true,"f":false,"e":"","":{}})"),
            (Lines{"n=-0.50E+007", "t=true", "f=false", "e=\"\"", "={}"}));
}

TEST(MembersOfTest, SpansPointIntoTheText) {
  const std::string text = R"(  {"key": [1]  })";
  const auto members = members_of(text);
  ASSERT_TRUE(members);
  EXPECT_EQ(members->at(0).key.data(), text.data() + 4);
  EXPECT_EQ(members->at(0).value.data(), text.data() + 10);
}

TEST(MembersOfTest, NumbersBeyondEveryMachineTypeStayAsWritten) {
  EXPECT_EQ(read(R"({"a":9007199254740993123456789,"b":1e400,"c":-1E-9999})"),
            (Lines{"a=9007199254740993123456789", "b=1e400", "c=-1E-9999"}));
}

TEST(MembersOfTest, WhatIsNoObjectIsRefused) {
  for (const auto* text : {"", " ", "[]", "1", "\"a\"", "null", "true", "x"}) {
    EXPECT_EQ(read(text)[0].substr(0, 19), "expected an object@") << text;
  }
}

TEST(MembersOfTest, FaultsSayWhereAndWhat) {
  EXPECT_EQ(read(R"({"a":1)"), Lines{"expected ',' or '}'@6"});
  EXPECT_EQ(read(R"({"a":1,})"), Lines{"expected a string@7"});
  EXPECT_EQ(read(R"({"a":[1,]})"), Lines{"expected a value@8"});
  EXPECT_EQ(read(R"({"a":[1}})"), Lines{"expected ',' or ']'@7"});
  EXPECT_EQ(read(R"({"a" 1})"), Lines{"expected ':'@5"});
  EXPECT_EQ(read(R"({'a':1})"), Lines{"expected a string@1"});
  EXPECT_EQ(read(R"({"a":01})"), Lines{"expected ',' or '}'@6"});
  EXPECT_EQ(read(R"({"a":1.})"), Lines{"expected a digit@7"});
  EXPECT_EQ(read(R"({"a":-})"), Lines{"expected a digit@6"});
  EXPECT_EQ(read(R"({"a":NaN})"), Lines{"expected a value@5"});
  EXPECT_EQ(read(R"({"a":"b)"), Lines{"unterminated string@7"});
  EXPECT_EQ(read(R"({"a":"\x"})"), Lines{"unknown escape@7"});
  EXPECT_EQ(read(R"({"a":"\u12g4"})"), Lines{"expected four hexadecimal digits@10"});
  EXPECT_EQ(read("{\"a\":\"\n\"}"), Lines{"control character in a string@6"});
  EXPECT_EQ(read(R"({}{})"), Lines{"text after the end of the value@2"});
  EXPECT_EQ(read(R"({} // no)"), Lines{"text after the end of the value@3"});
}

TEST(MembersOfTest, NulIsNoWhiteSpaceAndNoEnd) {
  EXPECT_EQ(read(std::string_view("{}\0", 3)), Lines{"text after the end of the value@2"});
  EXPECT_THAT(read(std::string_view("{\"a\":\"\0\"}", 9))[0], HasSubstr("control character"));
  EXPECT_THAT(read(std::string_view("\0{}", 3))[0], HasSubstr("@0"));
}

TEST(MembersOfTest, AByteOrderMarkIsNotJson) {
  EXPECT_EQ(read("\xEF\xBB\xBF{}"), Lines{"expected an object@0"});
}

TEST(MembersOfTest, OnlyWellFormedUtf8IsTaken) {
  for (const auto* good : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\x7F"}) {
    EXPECT_TRUE(is_json("\"" + std::string(good) + "\"")) << testing::PrintToString(good);
  }
  for (const auto* bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE0\xA0",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xE2\x28\xA1", "\xE2\x82\x28"}) {
    EXPECT_FALSE(is_json("\"" + std::string(bad) + "\"")) << testing::PrintToString(bad);
    EXPECT_FALSE(is_json("\"" + std::string(bad))) << testing::PrintToString(bad);
  }
}

TEST(MembersOfTest, DeepNestingCostsNoStack) {
  constexpr std::size_t depth = 128 * 1024;
  const std::string open = "{\"a\":" + std::string(depth, '[');
  EXPECT_FALSE(members_of(open));
  EXPECT_EQ(read(open + std::string(depth, ']') + "}"),
            Lines{"a=" + std::string(depth, '[') + std::string(depth, ']')});
  std::string objects = "1";
  for (int i = 0; i < 100000; ++i) objects = R"({"a":)" + std::move(objects);
  EXPECT_FALSE(is_json(objects));
  EXPECT_TRUE(is_json(objects + std::string(100000, '}')));
}

TEST(IsJsonTest, TakesOneValueOfAnyType) {
  for (const auto* text :
       {"0", "-0", "10", "1.5e+3", "1E5", "true", "false", "null", "\"\"", " [] ", "{}",
        "[1,[2,{\"a\":[]}]]", R"("\"\\\/\b\f\n\r\t\uABcd")", R"("\ud800")", R"("\udc00\ud800")"}) {
    EXPECT_TRUE(is_json(text)) << text;
  }
  for (const auto* text : {"",        " ",      "tru",      "truex",      "nul",
                           "+1",      ".5",     "1.",       "1e",         "1e+",
                           "00",      "-",      "--1",      "0x10",       "[",
                           "]",       "[,]",    "[1,]",     "[1 2]",      "{",
                           "}",       "{1:2}",  R"({"a"})", R"({"a":})",  R"({"a":1 "b":2})",
                           "\"",      R"("\")", R"("\u")",  R"("\u123")", "1 1",
                           "// x\n1", "'a'",    "Infinity", "undefined"}) {
    EXPECT_FALSE(is_json(text)) << text;
  }
}

TEST(ElementsOfTest, SpansAreExactAndInOrder) {
  const auto read_elements = [](std::string_view text) {
    const auto elements = elements_of(text);
    return elements ? Lines(elements->begin(), elements->end()) : Lines{elements.error().message};
  };
  EXPECT_EQ(read_elements(" [ ] "), Lines{});
  EXPECT_EQ(read_elements(R"([ 1 ,{"a": [2] } , "]", null])"),
            (Lines{"1", R"({"a": [2] })", R"("]")", "null"}));
  EXPECT_EQ(read_elements("{}"), Lines{"expected an array"});
  EXPECT_EQ(read_elements("[1,]"), Lines{"expected a value"});
  EXPECT_EQ(read_elements("[1}"), Lines{"expected ',' or ']'"});
  EXPECT_EQ(read_elements("[1]]"), Lines{"text after the end of the value"});
}

TEST(MemberTest, KeysAreComparedWithTheirEscapesResolved) {
  const auto is = [](std::string_view key, std::string_view name) {
    return Member{.key = key, .value = "1"}.is(name);
  };
  EXPECT_TRUE(is("clientToken", "clientToken"));
  EXPECT_TRUE(is(R"(client\u0054oken)", "clientToken"));
  EXPECT_TRUE(
      is(R"(\u0063\u006c\u0069\u0065\u006E\u0074\u0054\u006f\u006b\u0065\u006e)", "clientToken"));
  EXPECT_TRUE(is(R"(\"\\\/\b\f\n\r\t)", "\"\\/\b\f\n\r\t"));
  EXPECT_TRUE(is("", ""));
  EXPECT_FALSE(is(R"(client\u0054oke)", "clientToken"));
  EXPECT_FALSE(is(R"(client\u0054okenx)", "clientToken"));
  EXPECT_FALSE(is(R"(client\u0154oken)", "clientToken"));
  EXPECT_FALSE(is(R"(clientToken\u0000)", "clientToken"));
  EXPECT_FALSE(is(R"(\ud800)", "clientToken"));
  EXPECT_FALSE(is("ClientToken", "clientToken"));
  EXPECT_FALSE(is("clientToke", "clientToken"));
  EXPECT_FALSE(is("clientTokens", "clientToken"));
}

TEST(FindTest, TheLastMemberOfANameCounts) {
  const auto members = members_of(R"({"a":1,"\u0061":2,"b":3,"c":4,"c":null,"d":null,"d":5})");
  ASSERT_TRUE(members);
  ASSERT_NE(find(*members, "a"), nullptr);
  EXPECT_EQ(find(*members, "a")->value, "2");
  EXPECT_EQ(find(*members, "b")->value, "3");
  EXPECT_EQ(find(*members, "c"), nullptr) << "null counts as absent";
  ASSERT_NE(find(*members, "d"), nullptr);
  EXPECT_EQ(find(*members, "d")->value, "5");
  EXPECT_EQ(find(*members, "e"), nullptr);
}

TEST(ObjectWriterTest, PutsMembersTogether) {
  EXPECT_EQ(ObjectWriter().object(), "{}");
  EXPECT_EQ(ObjectWriter().members(), "");
  ObjectWriter writer;
  writer.member("a", "1");
  writer.member("b", R"({"c" : [ ]})");
  EXPECT_EQ(std::move(writer).object(), R"({"a":1,"b":{"c" : [ ]}})");
}

TEST(DecodeStringTest, EscapesBecomeTheirCharacters) {
  EXPECT_EQ(decode_string(R"("")"), "");
  EXPECT_EQ(decode_string("\"a\xC3\xA9\""), "a\xC3\xA9");
  EXPECT_EQ(decode_string(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decode_string(R"("\u00e9\u20AC\ud83d\ude00")"), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(decode_string(R"("\u0000x")"), std::string("\0x", 2));
}

TEST(DecodeStringTest, HalfASurrogatePairHasNoText) {
  for (const auto* text :
       {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud83dx")", R"("\ude00\ud83d")"}) {
    EXPECT_EQ(decode_string(text), std::nullopt) << text;
  }
}

TEST(EncodeStringTest, WhatJsonCannotHoldIsEscapedOrReplaced) {
  EXPECT_EQ(encode_string("plain \xC3\xA9"), "\"plain \xC3\xA9\"");
  EXPECT_EQ(encode_string("\"\\\n\x01"), R"("\"\\\n\u0001")");
  EXPECT_EQ(encode_string(std::string_view("a\0b", 3)), R"("a\u0000b")");
  EXPECT_EQ(encode_string("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_TRUE(is_json(encode_string("\xF0\x9F\x98")));
}

}  // namespace
}  // namespace jobs_bridge::json_text
