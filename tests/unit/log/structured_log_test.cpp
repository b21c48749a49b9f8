#include "adapters/log/structured_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace jobs_bridge::logging {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> lines_of(const std::ostringstream& out) {
  std::vector<std::string> lines;
  std::istringstream in(out.str());
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The line without its time, for one event in the text format.
std::string text(std::string_view event, std::initializer_list<Log::Field> fields) {
  std::ostringstream out;
  StructuredLog log(Format::text, Severity::trace, out);
  log.write(Severity::warning, event, fields);
  const auto lines = lines_of(out);
  if (lines.size() != 1 || lines[0].find(' ') == std::string::npos) return "not one line";
  return lines[0].substr(lines[0].find(' ') + 1);
}

nlohmann::json json(std::string_view event, std::initializer_list<Log::Field> fields) {
  std::ostringstream out;
  StructuredLog log(Format::json, Severity::trace, out);
  log.write(Severity::error, event, fields);
  const auto lines = lines_of(out);
  if (lines.size() != 1) return "not one line";
  return nlohmann::json::parse(lines[0]);
}

TEST(StructuredLogTest, TextLineStartsWithUtcTimeToTheMillisecondAndSeverity) {
  std::ostringstream out;
  StructuredLog log(Format::text, Severity::info, out);
  log.write(Severity::info, "started");
  EXPECT_TRUE(std::regex_match(
      out.str(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info started\n)")))
      << out.str();
}

TEST(StructuredLogTest, PlainValueIsBareAndValueWithSpaceIsQuoted) {
  EXPECT_EQ(text("endpoint call failed", {{"thing", "x"}, {"detail", "a b"}}),
            R"(warning endpoint call failed thing=x detail="a b")");
}

TEST(StructuredLogTest, FieldWithoutValueIsLeftOut) {
  EXPECT_EQ(text("event", {{"a", ""}, {"b", "1"}}), "warning event b=1");
  EXPECT_FALSE(json("event", {{"a", ""}, {"b", "1"}}).contains("a"));
}

TEST(StructuredLogTest, ValueThatLooksLikeAFieldOrAQuoteIsQuoted) {
  EXPECT_EQ(text("event", {{"a", "b=c"}, {"d", "e\"f"}, {"g", "h\\i"}}),
            R"(warning event a="b=c" d="e\"f" g="h\\i")");
}

TEST(StructuredLogTest, TextLineEndAndControlCharactersAreEscaped) {
  EXPECT_EQ(text("event", {{"a", "b\r\nc\x1b[31m\x7f\tz"}}),
            "warning event a=\"b\\r\\nc\\u001b[31m\\u007f\\tz\"");
  EXPECT_EQ(text("two\nlines", {{"a\nb", "c"}}), "warning \"two\\nlines\" \"a\\nb\"=c");
}

TEST(StructuredLogTest, TextC1ControlAndUnicodeLineSeparatorAreEscaped) {
  EXPECT_EQ(text("event", {{"a", "\xc2\x9b"}, {"b", "\xe2\x80\xa8"}}),
            "warning event a=\"\\u009b\" b=\"\\u2028\"");
}

TEST(StructuredLogTest, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(text("event", {{"a", "x\xff"}}), "warning event a=\"x\\ufffd\"");
  EXPECT_EQ(json("event", {{"a", "x\xff"}})["a"], "x\xef\xbf\xbd");
}

TEST(StructuredLogTest, NulByteIsEscapedAndCutsNothingOff) {
  EXPECT_EQ(text("event", {{"a", std::string_view("x\0y", 3)}}), "warning event a=\"x\\u0000y\"");
  EXPECT_EQ(json("event", {{"a", std::string_view("x\0y", 3)}})["a"], std::string("x\0y", 3));
}

TEST(StructuredLogTest, JsonLineHoldsTimeSeverityEventAndFields) {
  const auto line = json("endpoint call failed", {{"thing", "x"}, {"detail", "a\n\"b\""}});
  EXPECT_TRUE(std::regex_match(line["time"].get<std::string>(),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
  EXPECT_EQ(line["severity"], "error");
  EXPECT_EQ(line["event"], "endpoint call failed");
  EXPECT_EQ(line["thing"], "x");
  EXPECT_EQ(line["detail"], "a\n\"b\"");
}

TEST(StructuredLogTest, JsonFieldNameThatIsTakenGetsAnUnderscore) {
  const auto line = json("e", {{"event", "1"}, {"time", "2"}, {"severity", "3"}, {"event", "4"}});
  EXPECT_EQ(line["event"], "e");
  EXPECT_EQ(line["event_"], "1");
  EXPECT_EQ(line["time_"], "2");
  EXPECT_EQ(line["severity_"], "3");
  EXPECT_EQ(line["event__"], "4");
}

TEST(StructuredLogTest, JsonLineIsPrintableAsciiAndKeepsTheValue) {
  const std::string value = "\x7f \xc2\x85 \xc2\x9b \xe2\x80\xa8 \xc3\xa4 \x1b[31m";
  std::ostringstream out;
  StructuredLog log(Format::json, Severity::info, out);
  log.write(Severity::error, "event", {{"a", value}});
  const auto lines = lines_of(out);
  ASSERT_EQ(lines.size(), 1U);
  for (const char c : lines[0]) EXPECT_TRUE(c >= ' ' && c <= '~') << lines[0];
  EXPECT_EQ(nlohmann::json::parse(lines[0])["a"], value);
}

TEST(StructuredLogTest, FormatSpecifiersInValuesMeanNothing) {
  EXPECT_EQ(text("event %v {}", {{"a", "{}%v%n"}}), "warning event %v {} a={}%v%n");
  EXPECT_EQ(json("event %v {}", {{"a", "{}%v%n"}})["a"], "{}%v%n");
}

TEST(StructuredLogTest, LessSevereEventsAreDroppedAndTheLevelChangesAtRunTime) {
  std::ostringstream out;
  StructuredLog log(Format::text, Severity::warning, out);
  EXPECT_FALSE(log.enabled(Severity::info));
  EXPECT_TRUE(log.enabled(Severity::warning));
  log.write(Severity::info, "dropped");
  log.set_level(Severity::debug);
  EXPECT_TRUE(log.enabled(Severity::debug));
  EXPECT_FALSE(log.enabled(Severity::trace));
  log.write(Severity::debug, "kept");
  const auto lines = lines_of(out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr(" debug kept"));
}

TEST(StructuredLogTest, EverySeverityHasItsName) {
  std::ostringstream out;
  StructuredLog log(Format::text, Severity::trace, out);
  for (const auto severity :
       {Severity::trace, Severity::debug, Severity::info, Severity::warning, Severity::error}) {
    log.write(severity, "x");
  }
  const auto lines = lines_of(out);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[0], HasSubstr("Z trace x"));
  EXPECT_THAT(lines[1], HasSubstr("Z debug x"));
  EXPECT_THAT(lines[2], HasSubstr("Z info x"));
  EXPECT_THAT(lines[3], HasSubstr("Z warning x"));
  EXPECT_THAT(lines[4], HasSubstr("Z error x"));
}

TEST(StructuredLogTest, StreamThatThrowsDoesNotThrowIntoTheCaller) {
  std::ostringstream out;
  out.exceptions(std::ios::badbit | std::ios::failbit);
  StructuredLog log(Format::text, Severity::info, out);
  try {
    out.setstate(std::ios::badbit);
  } catch (const std::ios_base::failure&) {
  }
  EXPECT_NO_THROW(log.write(Severity::error, "lost"));
}

TEST(StructuredLogTest, LinesOfSeveralThreadsDoNotMix) {
  std::ostringstream out;
  StructuredLog log(Format::json, Severity::info, out);
  const std::string value(200, 'v');
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 250; ++n) log.write(Severity::info, "event", {{"value", value}});
    });
  }
  for (auto& thread : threads) thread.join();
  const auto lines = lines_of(out);
  ASSERT_EQ(lines.size(), 1000U);
  for (const auto& line : lines) EXPECT_EQ(nlohmann::json::parse(line)["value"], value);
}

TEST(StructuredLogTest, StandardErrorGetsTheLine) {
  ::testing::internal::CaptureStderr();
  {
    StructuredLog log(Format::text, Severity::info, STDERR_FILENO);
    log.write(Severity::info, "started", {{"version", "1"}});
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr(" info started version=1\n"));
}

}  // namespace
}  // namespace jobs_bridge::logging
