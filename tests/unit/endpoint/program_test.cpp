// The program as its users meet it: what it prints, how it ends.

#include <gtest/gtest.h>

#include <csignal>
#include <regex>

#include "tests/support/process.h"
#include "tests/unit/endpoint/raw_client.h"
#include "tests/unit/endpoint/running_server.h"

namespace jobs_endpoint {
namespace {

using jobs_bridge::testing_support::Process;
using testing::RawClient;
using testing::request;
using testing::RunningServer;

TEST(EndpointProgramTest, PrintsOneLineWhenItIsReadyAndEndsWellOnASignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    Process program({JOBS_ENDPOINT_PROGRAM, "--listen", "127.0.0.1:0", "--things", "dev:3:1"});
    const auto line = program.wait_for_line("listening");
    ASSERT_TRUE(line) << program.output();
    std::smatch match;
    ASSERT_TRUE(std::regex_match(
        *line, match, std::regex("jobs-endpoint listening on http://127\\.0\\.0\\.1:([0-9]+)")))
        << *line;
    RawClient client(static_cast<std::uint16_t>(std::stoi(match[1])));
    client.send(request("PUT", "/things/dev-3/jobs/$next", "{}"));
    EXPECT_NE(client.read_answer().find("dev-job-1"), std::string::npos);
    program.signal(number);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.output(), *line + "\n");
  }
}

TEST(EndpointProgramTest, EndsAtOnceWhileAnswersAreOutstanding) {
  Process program({JOBS_ENDPOINT_PROGRAM});
  const auto line = program.wait_for_line("listening");
  ASSERT_TRUE(line) << program.output();
  RawClient client(static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1))));
  client.send(request("PUT", "/_faults", R"({"delay_ms":60000})"));
  client.read_answer();
  client.send(request("GET", "/things/t/jobs"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(std::chrono::seconds(5)), 0);
}

TEST(EndpointProgramTest, WrongUsageIsTwo) {
  Process program({JOBS_ENDPOINT_PROGRAM, "--listen", "nowhere"});
  EXPECT_EQ(program.wait(), 2);
  EXPECT_NE(program.output().find("HOST:PORT"), std::string::npos);
}

TEST(EndpointProgramTest, FailureToListenIsOneAndNamesTheCause) {
  RunningServer taken;
  const std::string address = "127.0.0.1:" + std::to_string(taken.port());
  Process program({JOBS_ENDPOINT_PROGRAM, "--listen", address});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_NE(program.output().find(address + ": Address already in use"), std::string::npos)
      << program.output();
}

TEST(EndpointProgramTest, HelpAndVersionAreZero) {
  for (const char* option : {"--help", "--version"}) {
    Process program({JOBS_ENDPOINT_PROGRAM, option});
    EXPECT_EQ(program.wait(), 0) << option;
    EXPECT_NE(program.output().find("jobs-endpoint"), std::string::npos);
  }
}

}  // namespace
}  // namespace jobs_endpoint
