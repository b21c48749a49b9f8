#include "tests/integration/https/client.h"

namespace jobs_bridge::https {
namespace {

using testing_support::Gate;

TEST(HttpsKeepAliveTest, RequestsShareAConnection) {
  RawPeer peer(echo);
  Client client(plain(peer));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(answer(client.perform(put(std::to_string(i)))).body, std::to_string(i));
  }
  EXPECT_EQ(peer.connections(), 1U);
}

TEST(HttpsKeepAliveTest, PeerThatAnnouncesCloseGetsANewConnection) {
  RawPeer peer([](PeerConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.send(http_answer("{}", "200 OK", "Connection: x, Close\r\n"));
    }
  });
  Client client(plain(peer));
  answer(client.perform(put()));
  answer(client.perform(put()));
  EXPECT_EQ(peer.connections(), 2U);
}

TEST(HttpsKeepAliveTest, ConnectionThatLayIdleTooLongIsNotUsedAgain) {
  RawPeer peer(echo);
  EndpointSettings settings = plain(peer);
  settings.idle_limit = Duration::zero();
  Client client(std::move(settings));
  answer(client.perform(put()));
  answer(client.perform(put()));
  EXPECT_EQ(peer.connections(), 2U);
}

TEST(HttpsKeepAliveTest, CloseWhileIdleIsNoticedBeforeSending) {
  Gate closed;
  RawPeer peer([&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    connection.send(http_answer("{}"));
    connection.close();
    closed.open();
  });
  Client client(plain(peer));
  answer(client.perform(put()));
  ASSERT_TRUE(closed.wait());
  EXPECT_EQ(answer(client.perform(put("again"))).body, "again");
}

TEST(HttpsKeepAliveTest, ResetWhileIdleIsNoticedBeforeSending) {
  Gate reset;
  RawPeer peer([&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    connection.send(http_answer("{}"));
    connection.reset();
    reset.open();
  });
  Client client(plain(peer));
  client.perform(put());
  ASSERT_TRUE(reset.wait());
  EXPECT_EQ(answer(client.perform(put("again"))).body, "again");
}

/// Lets the first request through, reads the second on the same connection and ends it as `end`
/// says; everything after is echoed.
RawPeer::Script ends_at_second_request(std::function<void(PeerConnection&)> end) {
  return [end](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    connection.send(http_answer("first"));
    if (!connection.read_request().empty()) end(connection);
  };
}

TEST(HttpsKeepAliveTest, CloseAsTheRequestArrivesRepeatsARepeatableOne) {
  RawPeer peer(ends_at_second_request([](PeerConnection& connection) { connection.close(); }));
  Client client(plain(peer));
  answer(client.perform(put("one", true)));
  EXPECT_EQ(answer(client.perform(put("two", true))).body, "two");
  EXPECT_EQ(peer.connections(), 2U);
}

TEST(HttpsKeepAliveTest, ResetAsTheRequestArrivesRepeatsARepeatableOne) {
  RawPeer peer(ends_at_second_request([](PeerConnection& connection) { connection.reset(); }));
  Client client(plain(peer));
  answer(client.perform(put("one", true)));
  EXPECT_EQ(answer(client.perform(put("two", true))).body, "two");
}

TEST(HttpsKeepAliveTest, CloseAsTheRequestArrivesFailsAnUnrepeatableOne) {
  RawPeer peer(ends_at_second_request([](PeerConnection& connection) { connection.close(); }));
  Client client(plain(peer));
  answer(client.perform(put("one")));
  const HttpFailure broken = failure(client.perform(put("two")));
  EXPECT_EQ(broken.kind, Kind::broken);
  EXPECT_TRUE(broken.maybe_sent);
  EXPECT_EQ(peer.connections(), 1U);
  EXPECT_EQ(answer(client.perform(put("three"))).body, "three");
}

TEST(HttpsKeepAliveTest, AnswerThatBeganIsNotAskedForAgain) {
  RawPeer peer(ends_at_second_request([](PeerConnection& connection) { connection.send("H"); }));
  Client client(plain(peer));
  answer(client.perform(put("one", true)));
  EXPECT_EQ(failure(client.perform(put("two", true))).kind, Kind::broken);
  EXPECT_EQ(peer.connections(), 1U);
}

TEST(HttpsKeepAliveTest, FreshConnectionThatEndsIsNotTriedAgain) {
  RawPeer peer([](PeerConnection& connection) { connection.read_request(); });
  Client client(plain(peer));
  const HttpFailure broken = failure(client.perform(put("one", true)));
  EXPECT_EQ(broken.kind, Kind::broken);
  EXPECT_TRUE(broken.maybe_sent);
  EXPECT_EQ(peer.connections(), 1U);
}

TEST(HttpsKeepAliveTest, RepetitionThatCannotConnectMayStillHaveBeenSent) {
  RawPeer* listening = nullptr;
  RawPeer peer(ends_at_second_request([&](PeerConnection& connection) {
    listening->refuse_more();
    connection.reset();
  }));
  listening = &peer;
  Client client(plain(peer));
  answer(client.perform(put("one", true)));
  const HttpFailure refused = failure(client.perform(put("two", true)));
  EXPECT_EQ(refused.kind, Kind::refused);
  EXPECT_TRUE(refused.maybe_sent);
}

struct Surplus {
  const char* name;
  std::string bytes;
  bool same_write;
};

class SurplusTest : public ::testing::TestWithParam<Surplus> {};

TEST_P(SurplusTest, NeverBecomesTheNextAnswer) {
  Gate sent;
  RawPeer peer([&](PeerConnection& connection) {
    if (connection.number() > 0) return echo(connection);
    connection.read_request();
    if (GetParam().same_write) {
      connection.send(http_answer("first") + GetParam().bytes);
    } else {
      connection.send(http_answer("first"));
      connection.send(GetParam().bytes);
    }
    sent.open();
    connection.wait_for_close();
  });
  Client client(plain(peer));
  EXPECT_EQ(answer(client.perform(put("one"))).body, "first");
  ASSERT_TRUE(sent.wait());
  EXPECT_EQ(answer(client.perform(put("two"))).body, "two");
  EXPECT_EQ(peer.connections(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    All, SurplusTest,
    ::testing::Values(Surplus{"AnswerInTheSameSegment", http_answer("forged"), true},
                      Surplus{"AnswerInItsOwnSegment", http_answer("forged"), false},
                      Surplus{"OneByteInTheSameSegment", "x", true},
                      Surplus{"OneByteInItsOwnSegment", "x", false},
                      Surplus{"MoreThanOneReadTakes", http_answer(std::string(40000, 'y')), true}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace jobs_bridge::https
