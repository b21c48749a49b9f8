#include <atomic>
#include <random>
#include <thread>

#include "tests/integration/https/client.h"
#include "tests/support/certificates.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::https {
namespace {

const std::string kForged = http_answer("forged");

/// Answers one request in one of many ways, most of them wrong. False: it has ended the connection.
bool answer_somehow(PeerConnection& connection, const std::string& body, unsigned long way) {
  const std::string whole = http_answer(body);
  switch (way) {
    case 0:
      return connection.send(whole + kForged);
    case 1:
      return connection.send(whole + kForged.substr(0, 9));
    case 2:
      connection.send(whole);
      connection.close();
      return false;
    case 3:
      connection.send(whole);
      connection.close_abruptly();
      return false;
    case 4:
      connection.send(whole);
      connection.reset();
      return false;
    case 5:
      connection.send(whole.substr(0, whole.size() - 1));
      connection.close();
      return false;
    case 6:
      connection.send(whole.substr(0, 20));
      connection.reset();
      return false;
    case 7:
      connection.close();
      return false;
    case 8:
      return connection.send("no HTTP at all\r\n\r\n" + kForged);
    case 9:
      return connection.send("HTTP/1.1 101 Switching Protocols\r\n\r\n" + kForged);
    case 10:
      return connection.send("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + kForged);
    case 11:
      return connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n" + body +
                             "\r\n0\r\n\r\n" + kForged);
    case 12:
      return connection.send("HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nforged");
    case 13:
      return connection.send(whole.substr(0, 10)) && connection.send(whole.substr(10));
    case 14:
      return connection.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole + kForged);
    case 15:
      return connection.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole);
    default:
      return connection.send(whole);
  }
}

class MisbehavingPeerTest : public ::testing::TestWithParam<bool> {};

TEST_P(MisbehavingPeerTest, NoAnswerReachesAnotherRequest) {
  constexpr int kThreads = 8;
  constexpr int kRequests = 400;
  const testing_support::TemporaryDirectory directory;
  const testing_support::CertificateAuthority authority(directory.path());
  RawPeer::Options options;
  if (GetParam()) options.tls = authority.issue("server", {.addresses = {"127.0.0.1"}});
  RawPeer peer(options, [](PeerConnection& connection) {
    std::mt19937 random(static_cast<unsigned>(connection.number()));
    for (;;) {
      const std::string request = connection.read_request();
      if (request.empty() || !answer_somehow(connection, body_of(request), random() % 28)) return;
    }
  });
  EndpointSettings settings = plain(peer);
  if (GetParam()) settings.tls = true;
  settings.ca_file = authority.certificate_file();
  Client client(std::move(settings));

  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const auto exchange = client.endpoint().open();
      for (int i = 0; i < kRequests; ++i) {
        const std::string body = std::to_string(thread) + "-" + std::to_string(i) + "-body";
        const HttpOutcome outcome = exchange->perform(put(body, i % 2 == 0), Clock::now() + 20s);
        const auto* const response = std::get_if<HttpResponse>(&outcome);
        ++(response != nullptr ? answered : failed);
        if (response != nullptr && response->body != body) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(answered, kThreads * kRequests / 2);
  EXPECT_GT(failed, kThreads * kRequests / 10);
}

INSTANTIATE_TEST_SUITE_P(All, MisbehavingPeerTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace jobs_bridge::https
