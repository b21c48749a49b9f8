#include <future>
#include <thread>

#include "tests/integration/https/client.h"

namespace jobs_bridge::https {
namespace {

using testing_support::Gate;
using testing_support::SilentPort;
using Addresses = Result<std::vector<std::string>, std::string>;

/// Stops the endpoint once `reached`, and a little later, and returns what the request in progress
/// came to.
HttpFailure stop_during(Client& client, Gate& reached, const HttpRequest& request = put(),
                        Duration later = 0ms) {
  auto outcome = std::async(std::launch::async, [&] { return client.perform(request, 60s); });
  EXPECT_TRUE(reached.wait());
  std::this_thread::sleep_for(later);
  const auto start = Clock::now();
  client.endpoint().stop();
  HttpFailure stopped = failure(outcome.get());
  EXPECT_LT(Clock::now() - start, 30s) << "it has waited for the end of the request's time";
  EXPECT_EQ(stopped.kind, Kind::stopped);
  return stopped;
}

TEST(HttpsStopTest, EndsWaitForAnswer) {
  Gate reached;
  RawPeer peer([&](PeerConnection& connection) {
    connection.read_request();
    reached.open();
    connection.wait_for_close();
  });
  EndpointSettings settings = plain(peer);
  settings.answer_timeout = 60s;
  Client client(std::move(settings));
  EXPECT_TRUE(stop_during(client, reached).maybe_sent);
}

TEST(HttpsStopTest, EndsSending) {
  Gate reached;
  Gate done;
  RawPeer peer({.small_receive_buffer = true}, [&](PeerConnection& connection) {
    connection.wait_for_data();
    reached.open();
    done.wait();
  });
  EndpointSettings settings = plain(peer);
  settings.answer_timeout = 60s;
  Client client(std::move(settings));
  stop_during(client, reached, put(std::string(4 << 20, 'x')));
  done.open();
}

TEST(HttpsStopTest, EndsTlsHandshake) {
  Gate reached;
  RawPeer peer([&](PeerConnection& connection) {
    reached.open();
    connection.wait_for_close();
  });
  EndpointSettings settings = plain(peer);
  settings.tls = true;
  settings.connect_timeout = 60s;
  Client client(std::move(settings));
  EXPECT_FALSE(stop_during(client, reached).maybe_sent);
}

TEST(HttpsStopTest, EndsConnect) {
  SilentPort silent;
  Gate reached;
  EndpointSettings settings;
  settings.host = "name.test";
  settings.port = silent.port();
  settings.connect_timeout = 60s;
  Client client(std::move(settings), [&](const std::string&) -> Addresses {
    reached.open();
    return std::vector<std::string>{"127.0.0.1"};
  });
  // Nothing tells when the SYN is out. Stopping too early comes to the same.
  EXPECT_FALSE(stop_during(client, reached, put(), 20ms).maybe_sent);
}

TEST(HttpsStopTest, EndsLookup) {
  auto gate = std::make_shared<Gate>();
  auto reached = std::make_shared<Gate>();
  EndpointSettings settings;
  settings.host = "name.test";
  settings.connect_timeout = 60s;
  Client client(std::move(settings), [=](const std::string&) -> Addresses {
    reached->open();
    gate->wait();
    return Failure{std::string("too late")};
  });
  EXPECT_FALSE(stop_during(client, *reached).maybe_sent);
  gate->open();
}

TEST(HttpsStopTest, LaterRequestsAreStoppedBeforeTheyAreSent) {
  RawPeer peer(echo);
  Client client(plain(peer));
  answer(client.perform(put()));
  client.endpoint().stop();
  const auto opened_later = client.endpoint().open();
  for (const HttpOutcome& outcome :
       {client.perform(put()), opened_later->perform(put(), Clock::now() + 10s)}) {
    const HttpFailure stopped = failure(outcome);
    EXPECT_EQ(stopped.kind, Kind::stopped);
    EXPECT_FALSE(stopped.maybe_sent);
  }
  EXPECT_EQ(peer.connections(), 1U);
}

TEST(HttpsStopTest, EndsAllExchangesTogether) {
  constexpr int kExchanges = 64;
  std::atomic<int> reached{0};
  Gate all;
  RawPeer peer([&](PeerConnection& connection) {
    connection.read_request();
    if (++reached == kExchanges) all.open();
    connection.wait_for_close();
  });
  EndpointSettings settings = plain(peer);
  settings.answer_timeout = 60s;
  Client client(std::move(settings));
  std::vector<std::thread> threads;
  std::atomic<int> stopped{0};
  for (int i = 0; i < kExchanges; ++i) {
    threads.emplace_back([&] {
      const auto exchange = client.endpoint().open();
      const HttpOutcome outcome = exchange->perform(put(), Clock::now() + 60s);
      const auto* const ended = std::get_if<HttpFailure>(&outcome);
      if (ended != nullptr && ended->kind == Kind::stopped) ++stopped;
    });
  }
  EXPECT_TRUE(all.wait());
  const auto start = Clock::now();
  client.endpoint().stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(Clock::now() - start, 30s) << "one has waited for the end of its time";
  EXPECT_EQ(stopped, kExchanges);
}

}  // namespace
}  // namespace jobs_bridge::https
