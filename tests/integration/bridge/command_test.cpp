#include <gmock/gmock.h>
#include <httplib.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/bridge/site.h"
#include "tests/support/raw_peer.h"

namespace jobs_bridge::testing_support {
namespace {

using ::testing::StartsWith;

class CommandTest : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    std::ofstream(directory_.file("jobs-bridge.toml")) << text;
    return directory_.file("jobs-bridge.toml");
  }
  const std::string valid_ =
      "[credentials]\nsource = \"none\"\n[endpoint]\nurl = \"http://127.0.0.1:1\"\n";

  TemporaryDirectory directory_;
};

TEST_F(CommandTest, EveryConfigurationFaultIsPrintedWithFileLineAndKey) {
  const auto path = write(
      "[broker]\nurl = \"http://127.0.0.1\"\nunknwon = 1\n[limits]\ndeadline = \"8 parsecs\"\n"
      "queue = -1\n[credentials]\nsource = \"none\"\n[endpoint]\nurl = \"http://127.0.0.1:1\"\n");
  for (const auto* command : {"run", "check"}) {
    Process bridge({JOBS_BRIDGE_PROGRAM, command, "--config", path});
    EXPECT_EQ(bridge.wait(), 2);
    for (const auto* part :
         {":2: broker.url", ":3: broker.unknwon", ":5: limits.deadline", ":6: limits.queue"}) {
      EXPECT_TRUE(bridge.wait_for_output(path + part)) << bridge.output();
    }
  }
}

TEST_F(CommandTest, CheckRefusesTheFilesThatRunRefuses) {
  const auto other = directory_.file("other");
  std::ofstream(other) << "something else";
  const auto token = directory_.file("token");
  std::ofstream(token) << "short\n";
  std::filesystem::permissions(token, std::filesystem::perms::owner_read);
  const auto path =
      write(valid_ + "[journal]\npath = \"" + directory_.path().string() +
            "\"\n[notify]\npath = \"" + other + "\"\n[admin]\ntoken_file = \"" + token + "\"\n");
  Process check({JOBS_BRIDGE_PROGRAM, "check", "--config", path});
  EXPECT_EQ(check.wait(), 2);
  for (const auto* part : {":6: journal.path: ", " is a directory; journal.path must name a file",
                           ":8: notify.path: ", " is not a database; remove it",
                           ":10: admin.token_file: the token is too short"}) {
    EXPECT_TRUE(check.wait_for_output(part)) << part << "\n" << check.output();
  }
  for (const std::string broken : {"journal.path=", "notify.path=", "admin.token_file="}) {
    std::vector<std::string> command = {JOBS_BRIDGE_PROGRAM, "run", "--config", path};
    for (const auto* key : {"journal.path=", "notify.path=", "admin.token_file="}) {
      if (key == broken) continue;
      command.insert(command.end(), {"--set", key});
    }
    Process run(command);
    EXPECT_EQ(run.wait(), 1) << broken << run.output();
  }
}

TEST_F(CommandTest, FaultOfAnOverrideNamesTheOverride) {
  Process set({JOBS_BRIDGE_PROGRAM, "run", "--config", write(valid_), "--set", "limits.queue=many",
               "--set", "limits.deadlin=1s"});
  EXPECT_EQ(set.wait(), 2);
  EXPECT_TRUE(set.wait_for_output("limits.queue")) << set.output();
  EXPECT_TRUE(set.wait_for_output("limits.deadlin")) << set.output();
  EXPECT_TRUE(set.wait_for_output("--set")) << set.output();
  Process environment({JOBS_BRIDGE_PROGRAM, "run", "--config", write(valid_)},
                      {{"JOBS_BRIDGE_LIMITS_QUEUE", "many"}});
  EXPECT_EQ(environment.wait(), 2);
  EXPECT_TRUE(environment.wait_for_output("JOBS_BRIDGE_LIMITS_QUEUE")) << environment.output();
}

TEST_F(CommandTest, SetWinsOverTheEnvironmentAndThatOverTheFile) {
  const auto path = write(valid_ + "[limits]\nqueue = 0\n");  // a fault, unless overridden
  const std::vector<std::string> command = {JOBS_BRIDGE_PROGRAM, "check", "--config", path};
  Process file(command);
  EXPECT_EQ(file.wait(), 2);
  Process environment(command, {{"JOBS_BRIDGE_LIMITS_QUEUE", "100"}});
  EXPECT_EQ(environment.wait(), 0) << environment.output();
  auto with_set = command;
  with_set.insert(with_set.end(), {"--set", "limits.queue=100"});
  Process set(with_set, {{"JOBS_BRIDGE_LIMITS_QUEUE", "many"}});
  EXPECT_EQ(set.wait(), 0) << set.output();
}

TEST_F(CommandTest, MissingAndMalformedFilesAreNamed) {
  Process missing({JOBS_BRIDGE_PROGRAM, "run", "--config", "/no/such/file.toml"});
  EXPECT_EQ(missing.wait(), 2);
  EXPECT_TRUE(missing.wait_for_output("/no/such/file.toml")) << missing.output();
  const auto path = write("[broker\nurl = 1\n");
  Process malformed({JOBS_BRIDGE_PROGRAM, "run", "--config", path});
  EXPECT_EQ(malformed.wait(), 2);
  EXPECT_TRUE(malformed.wait_for_output(path + ":1")) << malformed.output();
}

TEST_F(CommandTest, WhatThisVersionCannotDoIsRefusedNotIgnored) {
  for (const auto* setting : {"credentials.source=environment", "journal.path=/tmp/journal",
                              "endpoint.proxy=http://proxy:8080"}) {
    Process bridge({JOBS_BRIDGE_PROGRAM, "check", "--config", write(valid_), "--set", setting});
    const std::string text(setting);
    if (bridge.wait() == 0) continue;  // a later version can
    EXPECT_EQ(bridge.wait(), 2);
    EXPECT_TRUE(bridge.wait_for_output(text.substr(0, text.find('=')))) << bridge.output();
  }
}

TEST_F(CommandTest, PlaintextToAnotherHostIsRefused) {
  Process bridge({JOBS_BRIDGE_PROGRAM, "check", "--config", write(valid_), "--set",
                  "endpoint.url=http://jobs.example.com"});
  EXPECT_EQ(bridge.wait(), 2);
  EXPECT_TRUE(bridge.wait_for_output("endpoint.url")) << bridge.output();
}

TEST_F(CommandTest, ValidConfigurationPassesTheCheck) {
  Process bridge({JOBS_BRIDGE_PROGRAM, "check", "--config", write(valid_)});
  EXPECT_EQ(bridge.wait(), 0) << bridge.output();
}

TEST_F(CommandTest, UnreadableCertificateFailsAtTheStartWithItsName) {
  const auto path = write(valid_);
  for (const auto* key : {"broker.ca_file", "endpoint.ca_file"}) {
    Process bridge({JOBS_BRIDGE_PROGRAM, "run", "--config", path, "--set",
                    std::string(key) + "=/no/such/ca.pem", "--set",
                    "endpoint.url=https://127.0.0.1:1", "--set", "broker.url=mqtts://127.0.0.1:1"});
    EXPECT_EQ(bridge.wait(), 2);
    EXPECT_TRUE(bridge.wait_for_output("/no/such/ca.pem")) << bridge.output();
  }
}

TEST_F(CommandTest, EnvironmentAloneMayBeTheConfiguration) {
  const Process::Environment environment = {{"JOBS_BRIDGE_CREDENTIALS_SOURCE", "none"},
                                            {"JOBS_BRIDGE_ENDPOINT_URL", "http://127.0.0.1:1"},
                                            {"JOBS_BRIDGE_SERVICE_HOST", "10.0.0.1"},
                                            {"JOBS_BRIDGE_PORT", "tcp://10.0.0.1:9464"}};
  Process bridge({JOBS_BRIDGE_PROGRAM, "check"}, environment);
  // Where the machine has a configuration of its own, that is the one that is read.
  const std::string own = "/etc/jobs-bridge/jobs-bridge.toml";
  const bool has_own = std::filesystem::exists(own);
  const auto status = bridge.wait();
  EXPECT_TRUE(has_own || status == 0) << bridge.output();
  EXPECT_TRUE(bridge.wait_for_output(
      has_own ? own : "defaults and environment: the configuration is valid"))
      << bridge.output();
}

TEST_F(CommandTest, WrongUsageExitsWithTwo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"fly"}, {"run", "--config"}, {"run", "--colour"}}) {
    std::vector<std::string> command = {JOBS_BRIDGE_PROGRAM};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process bridge(command);
    EXPECT_EQ(bridge.wait(), 2) << bridge.output();
    EXPECT_TRUE(bridge.wait_for_output("\n"));
  }
}

/// Another server where a bridge is expected.
TEST_F(CommandTest, StatusPrintsOfWhatAStrangerAnswersLittleAndNothingThatATerminalObeys) {
  const std::string reason(40000, 'r');
  const std::string escapes = "\x1b[2J\x1b]0;title\x07" + std::string(40000, 'b');
  for (const auto& answer :
       {"HTTP/1.1 500 " + reason + "\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 " + reason + "\r\nContent-Length: 0\r\n\r\n", http_answer(escapes, "500 No"),
        http_answer(escapes), http_answer("{\"live\":\"" + escapes),
        http_answer(std::string(100000, '[')), escapes}) {
    RawPeer peer([&](PeerConnection& connection) {
      connection.read_request();
      connection.send(answer);
    });
    Process status({JOBS_BRIDGE_PROGRAM, "status", "--admin",
                    "http://127.0.0.1:" + std::to_string(peer.port())});
    EXPECT_EQ(status.wait(), 1);
    ASSERT_TRUE(status.wait_for_output("\n"));
    const auto output = status.output();
    EXPECT_THAT(output, StartsWith("jobs-bridge: "));
    EXPECT_LT(output.size(), 1200U);
    EXPECT_EQ(output.find('\x1b'), std::string::npos) << output;
  }
}

TEST_F(CommandTest, SmallStackOfTheProcessIsNoStackOfItsThreads) {
  Process bridge({"sh", "-c", "ulimit -s 256; exec \"$@\"", "sh", JOBS_BRIDGE_PROGRAM, "run",
                  "--config", write(valid_), "--set", "admin.listen=127.0.0.1:0"});
  const auto line = bridge.wait_for_line("admin listener url=");
  ASSERT_TRUE(line) << bridge.output();
  const auto url = line->substr(line->find("http://"));
  httplib::Client client(url.substr(0, url.find_last_not_of("/\"\n") + 1));
  // The library matches a range by a regular expression, which recurses for each of its characters.
  std::string ranges = "bytes=0-";
  while (ranges.size() < 8000) ranges += ",0-";
  client.Get("/healthz", {{"Range", ranges}});
  const auto answer = client.Get("/healthz");
  ASSERT_TRUE(answer) << bridge.output();
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(bridge.running());
}

TEST_F(CommandTest, HelpAndVersionExitWithZero) {
  for (const auto* option : {"--help", "--version"}) {
    Process bridge({JOBS_BRIDGE_PROGRAM, option});
    EXPECT_EQ(bridge.wait(), 0);
    EXPECT_TRUE(bridge.wait_for_output("\n"));
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
