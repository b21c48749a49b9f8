#include <zlib.h>

#include "tests/integration/hostile/others.h"
#include "tests/support/raw_peer.h"
#include "tests/support/sanitized.h"

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

const std::string kHead = "HTTP/1.1 200 OK\r\n";

void send_for_ever(PeerConnection& connection, const std::string& bytes) {
  while (connection.send(bytes)) {
  }
}

/// Gzip that unpacks to a gibibyte: files of a mebibyte of zeros, one behind the other, which its
/// format allows.
std::string gibibyte_of_zeros() {
  z_stream stream{};
  constexpr int with_gzip_head = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, with_gzip_head, 9,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib");
  }
  std::string zeros(kMebibyte, '\0');
  std::string packed(kMebibyte, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
  stream.avail_in = static_cast<uInt>(zeros.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  std::string all;
  for (int i = 0; i < 1024; ++i) all += packed;
  return all;
}

struct EndpointBehaviour {
  const char* name;
  RawPeer::Script answer;  ///< to one request; the connection ends when it returns
};

class HostileEndpointTest : public testing::TestWithParam<EndpointBehaviour> {};

INSTANTIATE_TEST_SUITE_P(
    Behaviours, HostileEndpointTest,
    testing::Values(
        EndpointBehaviour{"EndlessHeaders",
                          [](auto& peer) {
                            peer.send(kHead);
                            send_for_ever(peer, "X-More: " + std::string(1000, 'x') + "\r\n");
                          }},
        EndpointBehaviour{"LongReason",
                          [](auto& peer) {
                            peer.send("HTTP/1.1 503 " + std::string(1000, 'x') +
                                      "\r\nContent-Length: 0\r\n\r\n");
                          }},
        EndpointBehaviour{"LongReasonAfterAnInterimAnswer",
                          [](auto& peer) {
                            peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 " +
                                      std::string(60000, 'x') + "\r\nContent-Length: 0\r\n\r\n");
                          }},
        EndpointBehaviour{"HeaderWithoutEnd",
                          [](auto& peer) {
                            peer.send(kHead + "X-Long: ");
                            send_for_ever(peer, std::string(16384, 'x'));
                          }},
        EndpointBehaviour{"DeclaredBodyOfOneGibibyte",
                          [](auto& peer) {
                            peer.send(kHead + "Content-Length: 1073741824\r\n\r\n");
                            send_for_ever(peer, std::string(65536, 'x'));
                          }},
        EndpointBehaviour{"ChunkedBodyWithoutEnd",
                          [](auto& peer) {
                            peer.send(kHead + "Transfer-Encoding: chunked\r\n\r\n");
                            send_for_ever(peer, "10000\r\n" + std::string(65536, 'x') + "\r\n");
                          }},
        EndpointBehaviour{"BodyUntilAnEndThatNeverComes",
                          [](auto& peer) {
                            peer.send(kHead + "\r\n");
                            send_for_ever(peer, std::string(65536, 'x'));
                          }},
        EndpointBehaviour{"OneByteAtATime",
                          [](auto& peer) {
                            // The pace is the attack: never silent for as long as a timeout of one
                            // read.
                            peer.send(kHead + "Content-Length: 1000\r\n\r\n");
                            while (peer.send(" ")) std::this_thread::sleep_for(50ms);
                          }},
        EndpointBehaviour{"InvalidChunkSize",
                          [](auto& peer) {
                            peer.send(kHead +
                                      "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n");
                          }},
        EndpointBehaviour{
            "ChunkSizeThatOverflows",
            [](auto& peer) {
              peer.send(kHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n");
            }},
        EndpointBehaviour{
            "FloodOfInformationalAnswers",
            [](auto& peer) { send_for_ever(peer, "HTTP/1.1 103 Early Hints\r\n\r\n"); }},
        EndpointBehaviour{"ContentLengthTooLong",
                          [](auto& peer) {
                            peer.send(kHead + "Content-Length: 3\r\n\r\n{}");
                            peer.close();
                          }},
        EndpointBehaviour{"ContentLengthTooShort",
                          [](auto& peer) { peer.send(kHead + "Content-Length: 1\r\n\r\n{}"); }},
        EndpointBehaviour{"ContentLengthNegative",
                          [](auto& peer) { peer.send(kHead + "Content-Length: -1\r\n\r\n{}"); }},
        EndpointBehaviour{"CloseInMidAnswer",
                          [](auto& peer) {
                            peer.send(kHead + "Content-Le");
                            peer.close();
                          }},
        EndpointBehaviour{"CompressionBomb",
                          [](auto& peer) {
                            const auto body = gibibyte_of_zeros();
                            peer.send(kHead + "Content-Encoding: gzip\r\nContent-Length: " +
                                      std::to_string(body.size()) + "\r\n\r\n" + body);
                          }},
        EndpointBehaviour{"CompressedWithoutEnd",
                          [](auto& peer) {
                            peer.send(kHead +
                                      "Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n");
                            const std::string bytes(65536, '\0');
                            send_for_ever(peer, "10000\r\n" + bytes + "\r\n");
                          }},
        EndpointBehaviour{"NoHttp", [](auto& peer) { peer.send("SSH-2.0-OpenSSH_9\r\n\r\n"); }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(HostileEndpointTest, FailsTheRequestsThatMeetItInTimeAndNoOther) {
  constexpr auto deadline = 1000ms;
  constexpr std::size_t victims = 3;
  MosquittoBroker broker;
  RawPeer peer([](PeerConnection& connection) {
    for (;;) {
      const auto request = connection.read_request();
      if (request.empty()) return;
      if (request.find("/things/calm/") == std::string::npos) return GetParam().answer(connection);
      connection.send(http_answer("{}"));
    }
  });
  BridgeProcess bridge(
      {"broker.url=" + broker.url(), "endpoint.url=http://127.0.0.1:" + std::to_string(peer.port()),
       "endpoint.connections=8", "endpoint.answer_timeout=800ms", "limits.deadline=1s"});
  MqttDevice victim({.port = broker.port(), .client_id = "victim"});
  victim.subscribe("$aws/things/+/jobs/start-next/+");
  Others others(broker.port());
  ASSERT_TRUE(others.ask()) << others.last() << bridge.log();
  const auto before = peak_memory(bridge.process().id());

  const auto start = Others::Clock::now();
  for (std::size_t i = 0; i < victims; ++i) {
    victim.publish(start_next_topic("victim-" + std::to_string(i)), "{}");
  }
  const auto heard = [&] {
    const auto replies = victim.received();
    return std::count_if(replies.begin(), replies.end(), [](const auto& reply) {
      return reply.topic.find("/victim-") != std::string::npos;
    });
  };
  while (heard() < std::ptrdiff_t{victims} && Others::Clock::now() < start + wait_limit) {
    ASSERT_TRUE(others.ask()) << others.last() << bridge.log();
  }
  const auto longest =
      std::chrono::duration_cast<std::chrono::milliseconds>(Others::Clock::now() - start);
  ASSERT_EQ(heard(), std::ptrdiff_t{victims}) << bridge.log();
  for (const auto& reply : victim.received()) {
    if (reply.topic.find("/victim-") == std::string::npos) continue;
    EXPECT_EQ(code_of(reply), "InternalError") << bridge.log();
  }
  EXPECT_LT(longest, deadline + 500ms);
  const auto grown = peak_memory(bridge.process().id()) - before;
  EXPECT_LT(grown, memory_bound(16 * kMebibyte));
  EXPECT_LT(others.p99(), deadline);
  EXPECT_TRUE(bridge.process().running());
  report(GetParam().name, longest, grown, others);
  if (testing::Test::HasFailure()) std::cout << bridge.log().substr(0, 6000);
  std::cout << "[   cause  ] " << bridge.process().wait_for_line("victim-0", 100ms).value_or("")
            << "\n";
}

TEST(HostileEndpointTest, AnswerInAdvanceNeverReachesTheNextThing) {
  MosquittoBroker broker;
  RawPeer peer([](PeerConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.send(http_answer("{}") + http_answer(R"({"execution":{"jobId":"forged"}})"));
    }
  });
  BridgeProcess bridge({"broker.url=" + broker.url(),
                        "endpoint.url=http://127.0.0.1:" + std::to_string(peer.port()),
                        "endpoint.connections=1", "limits.deadline=1s"});
  Others others(broker.port());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(others.ask()) << others.last();
    EXPECT_EQ(others.last().find("forged"), std::string::npos) << others.last();
  }
}

/// HTTP/1.1 numbers nothing: on a new connection it cannot be told from an answer. So what it says
/// is compared with what was asked, and there is one answer too many, which ends the connection.
TEST(HostileEndpointTest, AnswerBeforeTheRequestReachesNobodyThatItIsNotAbout) {
  MosquittoBroker broker;
  RawPeer peer([](PeerConnection& connection) {
    connection.send(http_answer(R"({"execution":{"jobId":"forged","thingName":"other"}})"));
    while (!connection.read_request().empty()) connection.send(http_answer("{}"));
  });
  BridgeProcess bridge({"broker.url=" + broker.url(),
                        "endpoint.url=http://127.0.0.1:" + std::to_string(peer.port()),
                        "endpoint.connections=1", "limits.deadline=1s"});
  Others others(broker.port());
  std::size_t accepted = 0;
  for (int i = 0; i < 5; ++i) {
    if (others.ask()) ++accepted;
    EXPECT_EQ(others.last().find("forged"), std::string::npos) << others.last();
    EXPECT_NE(others.last(), "no reply");
  }
  std::cout << "[ measured ] AnswerBeforeTheRequest | " << accepted << " of 5 accepted | "
            << others.last() << "\n"
            << "[   cause  ] " << bridge.process().wait_for_line("calm.*detail", 100ms).value_or("")
            << "\n";
}

}  // namespace
}  // namespace jobs_bridge::testing_support
