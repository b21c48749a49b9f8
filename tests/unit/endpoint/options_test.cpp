#include "tests/endpoint/options.h"

#include <gtest/gtest.h>

namespace jobs_endpoint {
namespace {

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "jobs-endpoint");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(EndpointOptionsTest, DefaultsAreALoopbackPortOfTheKernelsChoice) {
  const auto line = parse({});
  ASSERT_TRUE(line.options);
  EXPECT_EQ(line.options->server.host, "127.0.0.1");
  EXPECT_EQ(line.options->server.port, 0);
  EXPECT_EQ(line.options->endpoint.time_scale, 1);
}

TEST(EndpointOptionsTest, EverythingCanBeSaid) {
  const auto line = parse({"--listen",
                           "[::1]:8443",
                           "--things",
                           "a:1:2",
                           "--things",
                           "b:c:3:4",
                           "--strict-things",
                           "--envelope",
                           "--reject-terminal-describe",
                           "--time-scale",
                           "60",
                           "--reads-per-second",
                           "5",
                           "--writes-per-second",
                           "6.5",
                           "--tls-cert",
                           "c",
                           "--tls-key",
                           "k",
                           "--client-ca",
                           "a"});
  ASSERT_TRUE(line.options) << line.complaint;
  const Options& options = *line.options;
  EXPECT_EQ(options.server.host, "::1");
  EXPECT_EQ(options.server.port, 8443);
  EXPECT_EQ(options.server.tls.certificate, "c");
  EXPECT_EQ(options.server.tls.private_key, "k");
  EXPECT_EQ(options.server.tls.client_ca, "a");
  EXPECT_TRUE(options.endpoint.envelope);
  EXPECT_TRUE(options.endpoint.operations.strict_things);
  EXPECT_TRUE(options.endpoint.operations.reject_terminal_describe);
  EXPECT_EQ(options.endpoint.time_scale, 60);
  EXPECT_EQ(options.endpoint.reads_per_second, 5);
  EXPECT_EQ(options.endpoint.writes_per_second, 6.5);
  ASSERT_EQ(options.fleets.size(), 2U);
  EXPECT_EQ(options.fleets[1].prefix, "b:c");
  EXPECT_EQ(options.fleets[1].things, 3);
  EXPECT_EQ(options.fleets[1].jobs, 4);
}

TEST(EndpointOptionsTest, WrongUsageExitsWithTwoAndSaysWhatIsWrong) {
  const std::pair<std::vector<const char*>, const char*> lines[] = {
      {{"--listen", "8080"}, "--listen"},
      {{"--listen", "127.0.0.1:"}, "--listen"},
      {{"--listen", ":80"}, "--listen"},
      {{"--listen", "127.0.0.1:65536"}, "--listen"},
      {{"--listen", "::1:80"}, "--listen"},
      {{"--listen", "[]:80"}, "--listen"},
      {{"--nonsense"}, "--nonsense"},
      {{"argument"}, "argument"},
      {{"--things", "a"}, "PREFIX:COUNT:JOBS"},
      {{"--things", "a:b:c"}, "COUNT"},
      {{"--things", "a:-1:1"}, "COUNT"},
      {{"--things", "a b:1:1"}, "PREFIX"},
      {{"--things", ":1:1:"}, "COUNT"},
      {{"--things", "a:100000000:100"}, "executions"},
      {{"--time-scale", "0"}, "--time-scale"},
      {{"--time-scale", "nan"}, "--time-scale"},
      {{"--reads-per-second", "-1"}, "--reads-per-second"},
      {{"--writes-per-second", "x"}, "--writes-per-second"},
      {{"--tls-cert", "c"}, "--tls-key"},
      {{"--tls-key", "k"}, "--tls-cert"},
      {{"--client-ca", "a"}, "--tls-cert"},
  };
  for (const auto& [arguments, word] : lines) {
    const auto line = parse(arguments);
    EXPECT_FALSE(line.options) << arguments.back();
    EXPECT_EQ(line.exit_status, 2) << arguments.back();
    EXPECT_NE(line.complaint.find(word), std::string::npos) << line.complaint;
    EXPECT_EQ(line.output, "");
  }
}

TEST(EndpointOptionsTest, HelpAndVersionAreOutputNotErrors) {
  const auto help = parse({"--help"});
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_NE(help.output.find("--things"), std::string::npos);
  EXPECT_EQ(help.complaint, "");
  const auto version = parse({"--version"});
  EXPECT_EQ(version.exit_status, 0);
  EXPECT_EQ(version.output.rfind("jobs-endpoint ", 0), 0U);
}

TEST(EndpointSeedTest, EveryThingHasEveryJobInOrder) {
  Store store;
  const Instant now{};
  queue_fleet(store, {"my:dev", 3, 2}, now);
  for (const char* thing : {"my:dev-1", "my:dev-2", "my:dev-3"}) {
    const auto pending = store.pending(thing, 10, now);
    ASSERT_EQ(pending.size(), 2U);
    EXPECT_EQ(pending[0]->job->definition.id, "my-dev-job-1");
    EXPECT_EQ(pending[1]->job->definition.id, "my-dev-job-2");
  }
  EXPECT_FALSE(store.knows_thing("my:dev-4"));
  EXPECT_FALSE(store.knows_thing("my:dev-0"));
}

TEST(EndpointSeedTest, NoThingsMeansNoJobs) {
  Store store;
  queue_fleet(store, {"dev", 0, 2}, Instant{});
  EXPECT_THROW(store.find_job("dev-job-1", Instant{}), ServiceError);
}

}  // namespace
}  // namespace jobs_endpoint
