#include "tests/endpoint/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>

#include "tests/unit/endpoint/raw_client.h"
#include "tests/unit/endpoint/running_server.h"

namespace jobs_endpoint {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using testing::body_of;
using testing::End;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::RawClient;
using testing::request;
using testing::RunningServer;
using ::testing::StartsWith;
using testing::status_of;

const std::string pending_request = request("GET", "/things/t/jobs");
constexpr const char* pending_answer = R"({"inProgressJobs":[],"queuedJobs":[]})";

std::string ask(const RunningServer& server, const std::string& text) {
  RawClient client(server.port());
  client.send(text);
  return client.read_answer();
}

Json calls(const RunningServer& server) {
  return Json::parse(body_of(ask(server, request("GET", "/_calls"))));
}

void set_fault(const RunningServer& server, const std::string& fault) {
  ASSERT_EQ(status_of(ask(server, request("PUT", "/_faults", fault))), 200);
}

TEST(EndpointServerTest, AnswersWithTheHeadersOfAws) {
  RunningServer server;
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()));
  const std::string answer = ask(server, request("PUT", "/things/t/jobs/$next", "{}"));
  EXPECT_THAT(answer,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nx-amzn-RequestId: "),
                    HasSubstr("\r\nContent-Type: application/json\r\n"), HasSubstr("\r\nDate: "),
                    HasSubstr("\r\nContent-Length: 2\r\n"), EndsWith("\r\n\r\n{}")));
}

TEST(EndpointServerTest, ConnectionIsKeptAndPipelinedRequestsAreAnsweredInOrder) {
  RunningServer server;
  RawClient client(server.port());
  client.send(pending_request + request("GET", "/jobs/none") + pending_request);
  EXPECT_EQ(body_of(client.read_answer()), pending_answer);
  EXPECT_EQ(status_of(client.read_answer()), 404);
  EXPECT_EQ(body_of(client.read_answer()), pending_answer);
  const Json listed = calls(server)["calls"];
  ASSERT_EQ(listed.size(), 3U);
  for (const Json& call : listed) EXPECT_EQ(call["connection"], listed[0]["connection"]);
}

TEST(EndpointServerTest, ConnectionEndsWhenTheClientAsksForIt) {
  RunningServer server;
  RawClient client(server.port());
  client.send(request("GET", "/things/t/jobs", "", "Connection: close\r\n"));
  EXPECT_THAT(client.read_all(), AllOf(HasSubstr("Connection: close"), EndsWith(pending_answer)));
  EXPECT_EQ(client.end(), End::closed);
}

TEST(EndpointServerTest, RequestInPiecesIsOneRequest) {
  RunningServer server;
  RawClient client(server.port());
  for (const char byte : request("PUT", "/things/t/jobs/%24next", "{}")) {
    client.send(std::string_view(&byte, 1));
  }
  EXPECT_EQ(body_of(client.read_answer()), "{}");
}

TEST(EndpointServerTest, ChunkedBodyIsRead) {
  RunningServer server;
  RawClient client(server.port());
  client.send(
      "POST /things/t/jobs/j HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\n{\"sta\r\n5\r\ntus\":\r\n3\r\n\"X\"\r\n1\r\n}\r\n0\r\n\r\n");
  EXPECT_EQ(status_of(client.read_answer()), 400);
  EXPECT_EQ(calls(server)["calls"][0]["body"], R"({"status":"X"})");
}

TEST(EndpointServerTest, BodyIsAskedForWhereTheClientExpectsThat) {
  RunningServer server;
  RawClient client(server.port());
  client.send(
      "PUT /things/t/jobs/$next HTTP/1.1\r\nHost: e\r\nExpect: 100-continue\r\n"
      "Content-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("{}");
  EXPECT_EQ(body_of(client.read_answer()), "{}");
}

TEST(EndpointServerTest, WhatIsNotHttpIsRefusedAndCounted) {
  RunningServer server;
  RawClient client(server.port());
  client.send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_EQ(status_of(client.read_all()), 400);
  EXPECT_EQ(calls(server)["malformed"], 1);
  EXPECT_EQ(calls(server)["total"], 0);
}

TEST(EndpointServerTest, TooLargeHeadAndBodyAreRefused) {
  RunningServer server;
  RawClient head(server.port());
  head.send("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(status_of(head.read_all()), 431);
  RawClient body(server.port());
  body.send("PUT /jobs/j HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n");
  EXPECT_EQ(status_of(body.read_all()), 413);
}

TEST(EndpointServerTest, RequestCutShortIsForgotten) {
  RunningServer server;
  { RawClient(server.port()).send("PUT /things/t/jobs/$next HTTP/1.1\r\nContent-Le"); }
  EXPECT_EQ(status_of(ask(server, pending_request)), 200);
  EXPECT_EQ(calls(server)["total"], 1);
}

TEST(EndpointServerTest, ElevenHundredConnectionsAreServed) {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 2400) GTEST_SKIP() << "this system allows too few descriptors";
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  RunningServer server;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int count = 0; count < 1100; ++count) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    ASSERT_TRUE(clients.back()->connected());
  }
  for (const auto& client : clients) client->send(pending_request);
  for (const auto& client : clients) ASSERT_EQ(body_of(client->read_answer()), pending_answer);
}

TEST(EndpointServerTest, TakenPortIsAnErrorThatNamesIt) {
  RunningServer server;
  Clock clock;
  Endpoint endpoint(EndpointOptions{});
  try {
    Server second({.port = server.port()}, endpoint, clock);
    FAIL() << "the port was taken twice";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("127.0.0.1:" + std::to_string(server.port())),
                                    HasSubstr("in use")));
  }
}

TEST(EndpointServerTest, UnknownHostIsAnErrorThatNamesIt) {
  Clock clock;
  Endpoint endpoint(EndpointOptions{});
  try {
    Server server({.host = "256.256.256.256"}, endpoint, clock);
    FAIL() << "an impossible address was taken";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("256.256.256.256"));
  }
}

TEST(EndpointServerFaultTest, DelayHoldsTheAnswerBackAndNobodyElse) {
  RunningServer server;
  set_fault(server, R"({"delay_ms":300,"thing":"t"})");
  RawClient slow(server.port());
  const auto begin = std::chrono::steady_clock::now();
  slow.send(pending_request);
  EXPECT_EQ(status_of(ask(server, request("GET", "/things/u/jobs"))), 200);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(300));
  EXPECT_EQ(status_of(slow.read_answer()), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(300));
  const Json call = calls(server)["calls"][0];
  EXPECT_GE(call["answeredAt"].get<double>() - call["arrivedAt"].get<double>(), 0.3);
}

TEST(EndpointServerFaultTest, HangKeepsTheConnectionOpenAndSilent) {
  RunningServer server;
  set_fault(server, R"({"kind":"hang"})");
  RawClient client(server.port());
  client.send(pending_request);
  EXPECT_EQ(client.read_all(milliseconds(200)), "");
  EXPECT_EQ(client.end(), End::timed_out);
  EXPECT_TRUE(calls(server)["calls"][0]["status"].is_null());
}

TEST(EndpointServerFaultTest, ResetResets) {
  RunningServer server;
  set_fault(server, R"({"kind":"reset"})");
  RawClient client(server.port());
  client.send(pending_request);
  EXPECT_EQ(client.read_all(), "");
  EXPECT_EQ(client.end(), End::reset);
}

TEST(EndpointServerFaultTest, TruncateCutsTheBodyOrWhereItIsTold) {
  RunningServer server;
  set_fault(server, R"({"kind":"truncate"})");
  RawClient client(server.port());
  client.send(pending_request);
  const std::string answer = client.read_all();
  EXPECT_EQ(client.end(), End::closed);
  const std::string whole = pending_answer;
  EXPECT_EQ(body_of(answer), whole.substr(0, whole.size() / 2));
  EXPECT_THAT(answer, HasSubstr("Content-Length: " + std::to_string(whole.size())));

  set_fault(server, R"({"kind":"truncate","bytes":10})");
  RawClient other(server.port());
  other.send(pending_request);
  EXPECT_EQ(other.read_all(), "HTTP/1.1 2");
}

TEST(EndpointServerFaultTest, TrickleSendsByteByByteAndLosesNone) {
  RunningServer server;
  set_fault(server, R"({"kind":"trickle","interval_ms":1})");
  RawClient client(server.port());
  const auto begin = std::chrono::steady_clock::now();
  client.send(pending_request + pending_request);
  for (int answers = 0; answers < 2; ++answers) {
    EXPECT_EQ(body_of(client.read_answer()), pending_answer);
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(400));
}

TEST(EndpointServerFaultTest, GarbageIsNoHttpAndEnds) {
  RunningServer server;
  set_fault(server, R"({"kind":"garbage","body":"\u0001nonsense"})");
  RawClient client(server.port());
  client.send(pending_request);
  EXPECT_EQ(client.read_all(), "\x01nonsense");
  EXPECT_EQ(client.end(), End::closed);
}

TEST(EndpointServerFaultTest, CloseIdlePromisesKeepAliveAndEnds) {
  RunningServer server;
  set_fault(server, R"({"kind":"close_idle"})");
  RawClient client(server.port());
  client.send(pending_request);
  EXPECT_THAT(client.read_all(), AllOf(HasSubstr("keep-alive"), EndsWith(pending_answer)));
  EXPECT_EQ(client.end(), End::closed);
}

TEST(EndpointServerFaultTest, ExtraBytesLookLikeTheNextAnswer) {
  RunningServer server;
  set_fault(server, R"({"kind":"extra_bytes","count":1})");
  RawClient client(server.port());
  client.send(pending_request);
  EXPECT_EQ(body_of(client.read_answer()), pending_answer);
  EXPECT_EQ(body_of(client.read_answer()),
            R"({"execution":{"jobId":"stray","thingName":"stray"}})");
  client.send(pending_request);
  EXPECT_EQ(body_of(client.read_answer()), pending_answer);
}

}  // namespace
}  // namespace jobs_endpoint
