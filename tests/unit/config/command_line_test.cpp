#include "adapters/config/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string wrong_usage(const std::vector<std::string>& arguments) {
  const auto parsed = parse_command_line(arguments);
  const auto* wrong = std::get_if<WrongUsage>(&parsed);
  return wrong == nullptr ? "right usage" : wrong->message;
}

std::string printed(const std::vector<std::string>& arguments) {
  const auto parsed = parse_command_line(arguments);
  const auto* text = std::get_if<PrintText>(&parsed);
  return text == nullptr ? "nothing to print" : text->text;
}

TEST(CommandLineTest, RunTakesAConfigurationAndAnyNumberOfSets) {
  const auto parsed = parse_command_line(
      {"run", "--config", "a.toml", "--set", "log.level=debug", "--set=broker.url=mqtt://b"});
  const auto* run = std::get_if<RunCommand>(&parsed);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->config, "a.toml");
  EXPECT_THAT(run->sets, ElementsAre("log.level=debug", "broker.url=mqtt://b"));
}

TEST(CommandLineTest, CheckTakesTheSame) {
  const auto parsed = parse_command_line({"check", "--set", "a.b=", "--config=a b.toml"});
  const auto* check = std::get_if<CheckCommand>(&parsed);
  ASSERT_NE(check, nullptr);
  EXPECT_EQ(check->config, "a b.toml");
  EXPECT_THAT(check->sets, ElementsAre("a.b="));
  const auto plain = parse_command_line({"check", "--config", "a"});
  ASSERT_TRUE(std::holds_alternative<CheckCommand>(plain));
  EXPECT_THAT(std::get<CheckCommand>(plain).sets, IsEmpty());
}

TEST(CommandLineTest, ConfigurationNeedNotBeNamed) {
  const auto run = parse_command_line({"run"});
  ASSERT_TRUE(std::holds_alternative<RunCommand>(run));
  EXPECT_EQ(std::get<RunCommand>(run).config, std::nullopt);
  const auto check = parse_command_line({"check", "--connect", "--config", ""});
  ASSERT_TRUE(std::holds_alternative<CheckCommand>(check));
  EXPECT_EQ(std::get<CheckCommand>(check).config, "");
}

TEST(CommandLineTest, SetTakesOneValueAndLeavesTheRestAlone) {
  EXPECT_THAT(wrong_usage({"run", "--config", "a", "--set", "a.b=c", "d.e=f"}), HasSubstr("d.e=f"));
}

TEST(CommandLineTest, ValuesOfSetsReachUsAsTheyAre) {
  const std::vector<std::string> sets = {"a.b=[1,2]", "a.c=\"x y\"", "a.d=,", "a.e=-1", "a.f=%%"};
  std::vector<std::string> arguments = {"run", "--config", "a"};
  for (const auto& set : sets) {
    arguments.emplace_back("--set");
    arguments.push_back(set);
  }
  const auto parsed = parse_command_line(arguments);
  ASSERT_TRUE(std::holds_alternative<RunCommand>(parsed)) << wrong_usage(arguments);
  EXPECT_EQ(std::get<RunCommand>(parsed).sets, sets);
}

TEST(CommandLineTest, WhatIsMissingOrUnknownIsNamed) {
  EXPECT_THAT(wrong_usage({}), HasSubstr("command is required"));
  EXPECT_THAT(wrong_usage({"run", "--config"}), HasSubstr("--config"));
  EXPECT_THAT(wrong_usage({"run", "--config", "a", "--set"}), HasSubstr("--set"));
  EXPECT_THAT(wrong_usage({"run", "--config", "a", "--config", "b"}), HasSubstr("--config"));
  EXPECT_THAT(wrong_usage({"run", "--config", "a", "--verbose"}), HasSubstr("--verbose"));
  EXPECT_THAT(wrong_usage({"walk", "--config", "a"}), HasSubstr("walk"));
  EXPECT_THAT(wrong_usage({"run", "--config", "a", "check"}), HasSubstr("check"));
}

TEST(CommandLineTest, WrongUsageEndsWithALineEnd) {
  EXPECT_EQ(wrong_usage({}).back(), '\n');
  EXPECT_EQ(wrong_usage({"run", "--config"}).back(), '\n');
}

TEST(CommandLineTest, HelpNamesCommandsAndExitStatus) {
  for (const auto& help : {printed({"--help"}), printed({"-h"})}) {
    EXPECT_THAT(help, HasSubstr("run"));
    EXPECT_THAT(help, HasSubstr("check"));
    EXPECT_THAT(help, HasSubstr("Exit status"));
  }
  EXPECT_THAT(printed({"run", "--help"}), HasSubstr("--set"));
  EXPECT_THAT(printed({"check", "--help"}), HasSubstr("--config"));
  EXPECT_THAT(printed({"check", "--help"}), HasSubstr("\nqueue_per_thing = 16\n"));
}

TEST(CommandLineTest, VersionIsOneLineAndNamesTheMqttLibraries) {
  const auto version = printed({"--version"});
  EXPECT_THAT(version, ::testing::MatchesRegex("jobs-bridge [0-9]+\\.[0-9]+\\.[0-9]+ "
                                               "\\(MQTT: (paho|mosquitto|paho, mosquitto)\\)\n"));
  EXPECT_EQ(printed({"run", "--version"}), version);
  EXPECT_EQ(printed({"check", "--version"}), version);
}

}  // namespace
}  // namespace jobs_bridge::config
