#include <thread>

#include "tests/integration/https/client.h"

namespace jobs_bridge::https {
namespace {

using ::testing::HasSubstr;
using testing_support::Gate;
using testing_support::SilentPort;

constexpr Duration kLimit = 400ms;

void silent(PeerConnection& connection) {
  connection.wait_for_close();
}

/// Reads the request, says `first`, and then `again` every ten milliseconds until the client
/// disconnects.
RawPeer::Script trickles(std::string first, std::string again) {
  return [first, again](PeerConnection& connection) {
    connection.read_request();
    connection.send(first);
    while (connection.send(again)) std::this_thread::sleep_for(10ms);
  };
}

TEST(HttpsDeadlineTest, SilentPeerEndsAtAnswerTimeout) {
  RawPeer peer(silent);
  EndpointSettings settings = plain(peer);
  settings.answer_timeout = kLimit;
  Client client(std::move(settings));
  expect_ends_at(kLimit, [&] {
    const HttpFailure late = failure(client.perform(put()));
    EXPECT_EQ(late.kind, Kind::timeout);
    EXPECT_TRUE(late.maybe_sent);
    EXPECT_THAT(late.detail, HasSubstr("127.0.0.1:" + std::to_string(peer.port())));
  });
}

TEST(HttpsDeadlineTest, SilentPeerEndsAtAnEarlierDeadline) {
  RawPeer peer(silent);
  Client client(plain(peer));
  expect_ends_at(kLimit,
                 [&] { EXPECT_EQ(failure(client.perform(put(), kLimit)).kind, Kind::timeout); });
}

TEST(HttpsDeadlineTest, ConnectionThatTimedOutIsNotUsedAgain) {
  Gate late;
  RawPeer peer([&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    late.wait();
    connection.send(http_answer("late"));
  });
  Client client(plain(peer));
  EXPECT_EQ(failure(client.perform(put("one"), 100ms)).kind, Kind::timeout);
  late.open();
  EXPECT_EQ(answer(client.perform(put("two"))).body, "two");
}

struct Trickle {
  const char* name;
  std::string first;
  std::string again;
};

class TricklingPeerTest : public ::testing::TestWithParam<Trickle> {};

TEST_P(TricklingPeerTest, EndsAtAnswerTimeout) {
  RawPeer peer(trickles(GetParam().first, GetParam().again));
  EndpointSettings settings = plain(peer);
  settings.answer_timeout = kLimit;
  Client client(std::move(settings));
  expect_ends_at(kLimit, [&] { EXPECT_EQ(failure(client.perform(put())).kind, Kind::timeout); });
}

INSTANTIATE_TEST_SUITE_P(
    All, TricklingPeerTest,
    ::testing::Values(
        Trickle{"InStatusLine", "HTTP/1.1 200 ", "x"},
        Trickle{"InHead", "HTTP/1.1 200 OK\r\n", "X: y\r\n"},
        Trickle{"InBody", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"},
        Trickle{"InChunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
        Trickle{"InTrailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X"},
        Trickle{"UntilTheEnd", "HTTP/1.1 200 OK\r\n\r\n", "x"},
        Trickle{"Continues", "", "HTTP/1.1 100 Continue\r\n\r\n"}),
    [](const auto& test) { return test.param.name; });

TEST(HttpsDeadlineTest, PeerThatDoesNotReadEndsAtAnswerTimeout) {
  Gate done;
  RawPeer peer({.small_receive_buffer = true}, [&](PeerConnection&) { done.wait(); });
  EndpointSettings settings = plain(peer);
  settings.answer_timeout = kLimit;
  Client client(std::move(settings));
  const HttpRequest request = put(std::string(4 << 20, 'x'));
  expect_ends_at(kLimit, [&] {
    const HttpFailure late = failure(client.perform(request));
    EXPECT_EQ(late.kind, Kind::timeout);
    EXPECT_TRUE(late.maybe_sent);
  });
  done.open();
}

TEST(HttpsDeadlineTest, PortThatDoesNotAnswerEndsAtConnectTimeout) {
  SilentPort silent_port;
  EndpointSettings settings;
  settings.tls = false;
  settings.host = "127.0.0.1";
  settings.port = silent_port.port();
  settings.connect_timeout = kLimit;
  Client client(std::move(settings));
  expect_ends_at(kLimit, [&] {
    const HttpFailure late = failure(client.perform(put()));
    EXPECT_EQ(late.kind, Kind::connect);
    EXPECT_FALSE(late.maybe_sent);
    EXPECT_THAT(late.detail, HasSubstr("no answer in time"));
  });
}

TEST(HttpsDeadlineTest, ConnectEndsAtAnEarlierDeadline) {
  SilentPort silent_port;
  EndpointSettings settings;
  settings.tls = false;
  settings.host = "127.0.0.1";
  settings.port = silent_port.port();
  Client client(std::move(settings));
  expect_ends_at(kLimit,
                 [&] { EXPECT_EQ(failure(client.perform(put(), kLimit)).kind, Kind::connect); });
}

TEST(HttpsDeadlineTest, SilentTlsHandshakeEndsAtConnectTimeout) {
  RawPeer peer(silent);
  EndpointSettings settings = plain(peer);
  settings.tls = true;
  settings.connect_timeout = kLimit;
  Client client(std::move(settings));
  expect_ends_at(kLimit, [&] {
    const HttpFailure late = failure(client.perform(put()));
    EXPECT_EQ(late.kind, Kind::connect);
    EXPECT_FALSE(late.maybe_sent);
    EXPECT_THAT(late.detail, HasSubstr("TLS handshake"));
  });
}

TEST(HttpsDeadlineTest, TricklingTlsHandshakeEndsAtConnectTimeout) {
  // The head of a handshake record, which promises 16 KiB, and then one byte at a time.
  RawPeer peer([](PeerConnection& connection) {
    connection.send(std::string("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9));
    while (connection.send(std::string(1, '\0'))) std::this_thread::sleep_for(10ms);
  });
  EndpointSettings settings = plain(peer);
  settings.tls = true;
  settings.connect_timeout = kLimit;
  Client client(std::move(settings));
  expect_ends_at(kLimit, [&] { EXPECT_EQ(failure(client.perform(put())).kind, Kind::connect); });
}

TEST(HttpsDeadlineTest, SlowLookupEndsAtConnectTimeout) {
  auto gate = std::make_shared<Gate>();
  EndpointSettings settings;
  settings.host = "name.test";
  settings.connect_timeout = kLimit;
  Client client(std::move(settings), [gate](const std::string&) {
    gate->wait();
    return Result<std::vector<std::string>, std::string>(Failure{std::string("too late")});
  });
  expect_ends_at(kLimit, [&] {
    const HttpFailure late = failure(client.perform(put()));
    EXPECT_EQ(late.kind, Kind::resolve);
    EXPECT_FALSE(late.maybe_sent);
    EXPECT_THAT(late.detail, HasSubstr("name.test"));
  });
  gate->open();
}

TEST(HttpsDeadlineTest, DeadlineThatPassedSendsNothing) {
  RawPeer peer(echo);
  Client client(plain(peer));
  const HttpFailure late = failure(client.perform(put(), -1ms));
  EXPECT_EQ(late.kind, Kind::timeout);
  EXPECT_FALSE(late.maybe_sent);
  EXPECT_EQ(peer.connections(), 0U);
}

TEST(HttpsDeadlineTest, RepetitionEndsWithTheFirstSendingsLimit) {
  RawPeer peer([](PeerConnection& connection) {
    connection.read_request();
    if (connection.number() == 0) {
      connection.send(http_answer("{}"));
      connection.read_request();
      std::this_thread::sleep_for(kLimit / 2);
    } else {
      connection.wait_for_close();
    }
  });
  EndpointSettings settings = plain(peer);
  settings.answer_timeout = kLimit;
  Client client(std::move(settings));
  answer(client.perform(put("one", true)));
  expect_ends_at(kLimit,
                 [&] { EXPECT_EQ(failure(client.perform(put("two", true))).kind, Kind::timeout); });
  EXPECT_EQ(peer.connections(), 2U);
}

}  // namespace
}  // namespace jobs_bridge::https
