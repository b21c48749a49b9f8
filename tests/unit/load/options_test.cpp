#include "tests/load/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace jobs_load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "jobs-load");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

void expect_refused(const std::vector<const char*>& arguments, const char* complaint) {
  const auto line = parse(arguments);
  EXPECT_FALSE(line.options);
  EXPECT_EQ(line.exit_status, 2);
  EXPECT_THAT(line.complaint, HasSubstr(complaint));
}

TEST(LoadOptionsTest, UrlNamesHostPortAndTls) {
  const auto plain = parse({"--broker", "mqtt://gateway.local:1884"});
  ASSERT_TRUE(plain.options) << plain.complaint;
  EXPECT_EQ(plain.options->broker.host, "gateway.local");
  EXPECT_EQ(plain.options->broker.port, 1884);
  EXPECT_FALSE(plain.options->broker.tls);
  const auto tls = parse({"--broker", "mqtts://[::1]/"});
  ASSERT_TRUE(tls.options) << tls.complaint;
  EXPECT_EQ(tls.options->broker.host, "::1");
  EXPECT_EQ(tls.options->broker.port, 8883);
  EXPECT_TRUE(tls.options->broker.tls);
}

TEST(LoadOptionsTest, UrlThatIsNoneIsRefused) {
  for (const auto* url :
       {"gateway:1883", "http://gateway", "mqtt://", "mqtt://gateway:0", "mqtt://gateway:x",
        "mqtt://gateway:99999", "mqtt://[::1", "mqtt://a:1:2"}) {
    expect_refused({"--broker", url}, "--broker");
  }
}

TEST(LoadOptionsTest, ValuesThatCannotBeAreRefusedWithTheirNames) {
  expect_refused({"--things", "0"}, "--things");
  expect_refused({"--things", "2", "--connections", "3"}, "--connections");
  expect_refused({"--things", "-5"}, "--things");
  expect_refused({"--things", "10", "--in-flight", "11"}, "--in-flight");
  expect_refused({"--in-flight", "0"}, "--in-flight");
  expect_refused({"--connections", "0"}, "--connections");
  expect_refused({"--requests", "-1"}, "--requests");
  for (const auto* rate : {"-1", "inf", "nan", "1e-300", "1e9"}) {
    expect_refused({"--rate", rate}, "--rate");
  }
  for (const auto* option : {"--warm-up", "--duration", "--patience", "--progress"}) {
    for (const auto* time : {"inf", "nan", "1e308", "-1"}) expect_refused({option, time}, option);
  }
  expect_refused({"--duration", "0"}, "--duration");
  expect_refused({"--patience", "0"}, "--patience");
  expect_refused({"--warm-up", "-1"}, "--warm-up");
  expect_refused({"--qos", "2"}, "--qos");
  expect_refused({"--protocol", "4"}, "--protocol");
  expect_refused({"--operation", "notify"}, "--operation");
  expect_refused({"--progress", "-1"}, "--progress");
  expect_refused({"--cert-file", "/dev/null"}, "--key-file");
  expect_refused({"--broker", "mqtts://a", "--ca-file", "/does/not/exist"}, "/does/not/exist");
  expect_refused({"--ca-file", "/dev/null"}, "mqtts://");
  expect_refused({"--prefix", "a/b"}, "--prefix");
  expect_refused({"--prefix", std::string(128, 'a').c_str()}, "128");
  expect_refused({"--job", "a/b"}, "--job");
  for (const auto* base : {"", "/a", "a/", "a/+", "#"}) expect_refused({"--base", base}, "--base");
  expect_refused({"--password-file", "a"}, "--username");
  expect_refused({"--username", "a", "--password-file", "/does/not/exist"}, "/does/not/exist");
  expect_refused({"--unknown"}, "--unknown");
}

TEST(LoadOptionsTest, FewThingsShareNoMoreConnectionsAndRequestsThanTheyCanHave) {
  const auto line = parse({"--things", "2"});
  ASSERT_TRUE(line.options) << line.complaint;
  EXPECT_EQ(line.options->connections, 2U);
  EXPECT_EQ(line.options->in_flight, 2U);
}

TEST(LoadOptionsTest, TopicIsThatOfThingsOrThatOfTheirJobs) {
  using testing::Pair;
  const auto things = parse({"--base", "site/things"});
  ASSERT_TRUE(things.options) << things.complaint;
  EXPECT_THAT(things.options->topic, Pair("site/things/", "/jobs"));
  const auto jobs = parse({"--base", "{thing}/jobs"});
  ASSERT_TRUE(jobs.options) << jobs.complaint;
  EXPECT_THAT(jobs.options->topic, Pair("", "/jobs"));
}

TEST(LoadOptionsTest, OpenLoopNeedsNoRequestsInFlight) {
  const auto line = parse({"--things", "10", "--rate", "100", "--operation", "get"});
  ASSERT_TRUE(line.options) << line.complaint;
  EXPECT_EQ(line.options->rate, 100);
  EXPECT_THAT(line.options->operations, ElementsAre(Operation::get));
}

TEST(LoadOptionsTest, OperationsMayBeMixedAndThoseAboutAJobNeedOne) {
  const auto line = parse({"--operation", "start-next,get,update,get", "--job", "job-1"});
  ASSERT_TRUE(line.options) << line.complaint;
  EXPECT_THAT(line.options->operations, ElementsAre(Operation::start_next, Operation::get,
                                                    Operation::update, Operation::get));
  EXPECT_EQ(line.options->job, "job-1");
  expect_refused({"--operation", "update"}, "--job");
  expect_refused({"--operation", "start-next,describe"}, "--job");
}

TEST(LoadOptionsTest, OutlivingTheBrokerNeedsARateAndQualityOfServiceOne) {
  EXPECT_TRUE(parse({"--reconnect", "--rate", "10"}).options);
  expect_refused({"--reconnect"}, "--rate");
  expect_refused({"--reconnect", "--rate", "10", "--qos", "0"}, "--qos 1");
}

TEST(LoadOptionsTest, HelpAndVersionArePrinted) {
  const auto help = parse({"--help"});
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_THAT(help.output, HasSubstr("--in-flight"));
  EXPECT_THAT(help.output, HasSubstr("Exit status"));
  EXPECT_THAT(help.output, Not(HasSubstr("->"))) << "the numbers of operations";
  const auto version = parse({"--version"});
  EXPECT_EQ(version.exit_status, 0);
  EXPECT_THAT(version.output, HasSubstr("jobs-load "));
}

}  // namespace
}  // namespace jobs_load
