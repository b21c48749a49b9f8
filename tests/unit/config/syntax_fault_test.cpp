#include "adapters/config/syntax_fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/config/load_fixture.h"

namespace jobs_bridge::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

/// What people write, and what they are told.
class SyntaxFaultTest : public LoadFixture {
 protected:
  static std::string told(const std::string& content, std::uint32_t line) {
    const auto problem = explain_syntax(content, line);
    return problem ? problem->message + "; " + problem->hint : "";
  }
  /// Of a file that has nothing but this text.
  std::vector<std::string> faults_from(const std::string& text) {
    return lines(load_text(text).faults);
  }
};

TEST_F(SyntaxFaultTest, EachUsualMistakeHasItsOwnSentence) {
  const std::pair<std::string, std::string> known[] = {
      {"level = \"info", "the string in this line has no closing quote; end it with \""},
      {"level = 'info  # as usual", "the string in this line has no closing quote; end it with '"},
      {"url = [\"a\", \"b]", "the string in this line has no closing quote; end it with \""},
      {"level = info\"", "the value has no opening quote; write level = \"info\""},
      {"level = info", "the value is not in quotes; write level = \"info\""},
      {"deadline = 8s # enough", "the value is not in quotes; write deadline = \"8s\""},
      {"enabled = True", "\"True\" is not a value in TOML; write true or false, in small letters"},
      {"enabled = yes", "\"yes\" is not a value in TOML; write true or false, in small letters"},
      {"level =", "there is no value after \"=\"; add it, or remove the line to have the default"},
      {"level \"info\"",
       "this is neither a section, nor a key with its value, nor a comment; write [section], or "
       "key = value, or put # before a comment"},
      {"level: info",
       "a key and its value are separated by \"=\", not by a colon; write [section] on a line of "
       "its own, and key = value below it"},
      {"[log", "the section's name has no closing bracket; write [log]"},
      {"{\"log\": {}}",
       "this looks like JSON, and a TOML file is expected; write [section] on a line of its own, "
       "and key = value below it"},
      {"level = \"info\" ; as usual",
       "there is more in this line after the value; remove it, or put # before a comment"},
      {R"(path = "C:\jobs")",
       "a backslash in double quotes begins an escape sequence; put the string in single quotes, "
       "or write each backslash twice"},
      {"url = [\"a\" \"b\"]",
       "there is no comma between two elements of this array; separate them by commas"}};
  for (const auto& [line, sentence] : known) EXPECT_EQ(told(line + "\n", 1), sentence) << line;
}

TEST_F(SyntaxFaultTest, WhatIsThereTwiceIsNamedWithItsFirstLine) {
  EXPECT_EQ(told("[log]\nlevel = \"info\"\n[admin]\n[log]\n", 4),
            "[log] is here for the second time, after line 1; put all of its keys below one of the "
            "two");
  EXPECT_EQ(told("[limits]\nqueue = 5\n\nqueue = 6\n", 4),
            "queue is here for the second time, after line 2; remove one of the two lines");
  EXPECT_EQ(told("[limits]\nqueue = 5\n[other]\nqueue = 6\n", 4), "") << "another section's";
}

TEST_F(SyntaxFaultTest, AnArrayWithoutItsEndIsNamedWithTheLineInWhichItBegins) {
  const std::string open = "the array that begins in line 2 has no closing bracket; end it with ]";
  EXPECT_EQ(told("[broker]\nurl = [\"a\",\n  \"b\"\n[log]\n", 4), open);
  EXPECT_EQ(told("[broker]\nurl = [\"a\"\nclient_id = \"b\"\n", 3), open);
  EXPECT_EQ(told("[broker]\nurl = [\"a\",\n]\nclient_id = \"b\n", 4),
            "the string in this line has no closing quote; end it with \"");
}

TEST_F(SyntaxFaultTest, WhatIsNoneOfTheseIsLeftToTheParser) {
  for (const auto* line : {"", "queue = 5", "a = 1.5e3", "enabled = true", "a = \"b\" # c", "[log]",
                           "a = '''b", "a = \"\"\"b", "a = [\"b\", \"c\"]"}) {
    EXPECT_EQ(told(line, 1), "") << line;
  }
  EXPECT_EQ(told("a = 1", 7), "") << "no such line";
  EXPECT_EQ(told("a = '''\nlevel = info\n", 2), "") << "in a string of several lines";
}

TEST_F(SyntaxFaultTest, AFileIsToldThePlaceAndTheSentenceBeforeTheParsersWords) {
  EXPECT_THAT(faults_from("[log]\nlevel = \"info\n"),
              ElementsAre(AllOf(
                  StartsWith("FILE:2:14: the string in this line has no closing quote; end it with "
                             "\" (the TOML parser says: Error while parsing string: "),
                  EndsWith(")"))));
  EXPECT_THAT(faults_from("[log]\nlevel = \"info\"\n[log]\n"),
              ElementsAre(StartsWith("FILE:3:1: [log] is here for the second time, after line 1")));
}

TEST_F(SyntaxFaultTest, AMisspelledSectionDoesNotMakeItsKeysMissing) {
  EXPECT_THAT(faults_from("[endpont]\nregion = \"us-east-1\"\n"),
              ElementsAre("FILE:1: endpont: unknown section; did you mean [endpoint]?"));
}

TEST_F(SyntaxFaultTest, WhatIsMissingComesBehindWhatMayBeItsCause) {
  EXPECT_THAT(faults_from("[aws]\nregion = \"us-east-1\"\n"),
              ElementsAre(StartsWith("FILE:1: aws: unknown section"),
                          StartsWith("FILE: endpoint.region: is empty")));
}

}  // namespace
}  // namespace jobs_bridge::config
