#include <atomic>
#include <thread>

#include "tests/integration/https/client.h"

namespace jobs_bridge::https {
namespace {

using ::testing::HasSubstr;
using testing_support::Gate;
using Addresses = Result<std::vector<std::string>, std::string>;

EndpointSettings named(const RawPeer& peer) {
  EndpointSettings settings = plain(peer);
  settings.host = "name.test";
  return settings;
}

TEST(HttpsResolveTest, NameIsLookedUp) {
  RawPeer peer(echo);
  std::string asked;
  Client client(named(peer), [&](const std::string& host) -> Addresses {
    asked = host;
    return std::vector<std::string>{"127.0.0.1"};
  });
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
  EXPECT_EQ(asked, "name.test");
}

TEST(HttpsResolveTest, LocalhostIsFoundBySystem) {
  RawPeer peer(echo);
  EndpointSettings settings = plain(peer);
  settings.host = "localhost";
  Client client(std::move(settings));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST(HttpsResolveTest, LiteralAddressesNeedNoLookup) {
  for (const char* const address : {"127.0.0.1", "::1"}) {
    RawPeer peer({.address = address}, echo);
    Client client(plain(peer), [](const std::string&) -> Addresses {
      ADD_FAILURE() << "looked up";
      return Failure{std::string()};
    });
    EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
  }
}

TEST(HttpsResolveTest, Ipv6AddressOfANameIsUsed) {
  RawPeer peer({.address = "::1"}, echo);
  Client client(named(peer), always({"::1"}));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST(HttpsResolveTest, NextAddressIsTriedInTheSameRequest) {
  RawPeer peer({.address = "127.0.0.3"}, echo);
  Client client(named(peer), always({"127.0.0.1", "::1", "127.0.0.3"}));
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST(HttpsResolveTest, FailureNamesEveryAddressTried) {
  std::uint16_t port = 0;
  { port = RawPeer(echo).port(); }
  EndpointSettings settings;
  settings.host = "name.test";
  settings.port = port;
  Client client(std::move(settings), always({"127.0.0.1", "127.0.0.2"}));
  const HttpFailure refused = failure(client.perform(put()));
  EXPECT_EQ(refused.kind, Kind::refused);
  EXPECT_FALSE(refused.maybe_sent);
  EXPECT_THAT(refused.detail, HasSubstr("name.test:" + std::to_string(port)));
  EXPECT_THAT(refused.detail,
              HasSubstr("127.0.0.1: nothing listens on this port (Connection refused)"));
  EXPECT_THAT(refused.detail,
              HasSubstr("127.0.0.2: nothing listens on this port (Connection refused)"));
}

TEST(HttpsResolveTest, AddressThatWorkedIsTriedFirstNextTime) {
  const testing_support::SilentPort silent;
  // The same port on another address answers, and closes after each answer.
  RawPeer peer({.address = "127.0.0.2", .port = silent.port()}, [](PeerConnection& connection) {
    connection.send(
        http_answer(body_of(connection.read_request()), "200 OK", "Connection: close\r\n"));
  });
  EndpointSettings settings = named(peer);
  settings.connect_timeout = 2s;
  Client client(std::move(settings), always({"127.0.0.1", "127.0.0.2"}));
  EXPECT_EQ(answer(client.perform(put("slow"))).body, "slow");
  const auto start = Clock::now();
  EXPECT_EQ(answer(client.perform(put("fast"))).body, "fast");
  EXPECT_LT(Clock::now() - start, 1s);
}

TEST(HttpsResolveTest, FailedLookupNamesItsCause) {
  RawPeer peer(echo);
  Client client(named(peer), [](const std::string&) -> Addresses {
    return Failure{std::string("no such name")};
  });
  const HttpFailure unknown = failure(client.perform(put()));
  EXPECT_EQ(unknown.kind, Kind::resolve);
  EXPECT_FALSE(unknown.maybe_sent);
  EXPECT_THAT(unknown.detail, HasSubstr("resolving the name: no such name"));
}

TEST(HttpsResolveTest, LookupThatFailsIsRepeatedByTheNextRequest) {
  RawPeer peer(echo);
  std::atomic<int> lookups{0};
  Client client(named(peer), [&](const std::string&) -> Addresses {
    if (lookups++ == 0) return Failure{std::string("not now")};
    return std::vector<std::string>{"127.0.0.1"};
  });
  EXPECT_EQ(failure(client.perform(put())).kind, Kind::resolve);
  EXPECT_EQ(answer(client.perform(put("x"))).body, "x");
}

TEST(HttpsResolveTest, LookupWithoutAddressFails) {
  RawPeer peer(echo);
  Client client(named(peer), always({}));
  EXPECT_EQ(failure(client.perform(put())).kind, Kind::resolve);
}

TEST(HttpsResolveTest, LookupThatThrowsFails) {
  RawPeer peer(echo);
  Client client(named(peer),
                [](const std::string&) -> Addresses { throw std::runtime_error("x"); });
  EXPECT_EQ(failure(client.perform(put())).kind, Kind::resolve);
}

TEST(HttpsResolveTest, NameThatDoesNotExistIsReportedBySystem) {
  const Addresses found = net::look_up("no-such-name.invalid");
  ASSERT_FALSE(found);
  EXPECT_FALSE(found.error().empty());
}

TEST(HttpsResolveTest, HerdSharesOneLookup) {
  RawPeer peer(echo);
  auto gate = std::make_shared<Gate>();
  auto lookups = std::make_shared<std::atomic<int>>(0);
  SilentLog log;
  auto endpoint = open_endpoint(named(peer), log, [=](const std::string&) -> Addresses {
    ++*lookups;
    gate->wait();
    return std::vector<std::string>{"127.0.0.1"};
  });
  ASSERT_TRUE(endpoint);
  std::vector<std::thread> threads;
  std::atomic<int> answered{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const auto exchange = (*endpoint)->open();
      const HttpOutcome outcome = exchange->perform(put("x"), Clock::now() + 10s);
      if (std::holds_alternative<HttpResponse>(outcome)) ++answered;
    });
  }
  gate->open();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 16);
  EXPECT_EQ(*lookups, 1);
}

TEST(HttpsResolveTest, HungLookupDoesNotHoldUpTheEnd) {
  auto gate = std::make_shared<Gate>();
  auto ended = std::make_shared<Gate>();
  RawPeer peer(echo);
  {
    Client client(named(peer), [=](const std::string&) -> Addresses {
      gate->wait();
      ended->open();
      return std::vector<std::string>{"127.0.0.1"};
    });
    EXPECT_EQ(failure(client.perform(put(), 50ms)).kind, Kind::resolve);
  }
  // The endpoint is destroyed; the result of its lookup is discarded.
  gate->open();
  EXPECT_TRUE(ended->wait());
}

}  // namespace
}  // namespace jobs_bridge::https
