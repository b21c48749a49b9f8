#include "adapters/https/protocol.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <random>

#include "adapters/https/tcp_connection.h"
#include "tests/integration/https/client.h"

namespace jobs_bridge::https {
namespace {

/// Says what it was given, in pieces of one size, and then that the peer closed.
class ScriptedConnection final : public Connection {
 public:
  ScriptedConnection(std::string answer, std::size_t piece)
      : answer_(std::move(answer)), piece_(piece) {}

  std::optional<IoFailure> write(std::string_view bytes, MonotonicTime) override {
    writes.emplace_back(bytes);
    return std::nullopt;
  }
  Result<std::size_t, IoFailure> read(char* buffer, std::size_t size, MonotonicTime) override {
    const std::size_t count = std::min({size, piece_, answer_.size() - said_});
    answer_.copy(buffer, count, said_);
    said_ += count;
    return count;
  }
  bool quiet() override { return true; }
  std::uint64_t bytes_sent() const override { return writes.size(); }

  std::vector<std::string> writes;

 private:
  const std::string answer_;
  const std::size_t piece_;
  std::size_t said_ = 0;
};

constexpr std::size_t kMaxBody = 10000;

Result<Protocol::Answer, Protocol::NoAnswer> exchange(ScriptedConnection& connection) {
  Protocol protocol({"name.test", kMaxBody});
  return protocol.exchange(connection, put("body"), Clock::now() + 10s);
}

TEST(ProtocolTest, RequestGoesOutInOneWrite) {
  ScriptedConnection connection(http_answer("{}"), 1000);
  ASSERT_TRUE(exchange(connection));
  ASSERT_EQ(connection.writes.size(), 1U);
  EXPECT_THAT(connection.writes.front(), ::testing::EndsWith("\r\n\r\nbody"));
}

const std::vector<std::string>& good_answers() {
  static const std::vector<std::string> answers = {
      http_answer("0123456789", "200 OK", "Date: now\r\nX: y\r\n"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n012\r\n7\r\n3456789\r\n0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n" + http_answer("0123456789"),
      "HTTP/1.1 200 OK\r\n\r\n0123456789",
  };
  return answers;
}

TEST(ProtocolTest, AnswerMayComeInPiecesOfAnySize) {
  for (const std::string& bytes : good_answers()) {
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      ScriptedConnection connection(bytes, piece);
      const auto answer = exchange(connection);
      ASSERT_TRUE(answer) << bytes << piece << answer.error().failure.cause;
      EXPECT_EQ(answer->response.body, "0123456789");
    }
  }
}

TEST(ProtocolTest, AnswerCutAnywhereIsBroken) {
  for (const std::string& bytes : good_answers()) {
    const bool ends_with_connection = bytes.find("\r\n\r\n0123") != std::string::npos &&
                                      bytes.find("Content-Length") == std::string::npos;
    const std::size_t most =
        ends_with_connection ? bytes.find("\r\n\r\n0123") + 4 : bytes.size() - 1;
    for (std::size_t size = 0; size <= most; ++size) {
      ScriptedConnection connection(bytes.substr(0, size), 1000);
      const auto answer = exchange(connection);
      ASSERT_FALSE(answer) << bytes.substr(0, size);
      EXPECT_EQ(answer.error().failure.kind, Kind::broken);
      EXPECT_EQ(answer.error().began, size > 0);
    }
  }
}

TEST(ProtocolTest, SurplusOfAnySizeMakesTheConnectionUnusable) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    for (std::size_t surplus = 1; surplus < 100; ++surplus) {
      const std::string whole = http_answer("0123456789");
      ScriptedConnection connection(whole + std::string(surplus, 'x'), whole.size() + piece);
      const auto answer = exchange(connection);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->response.body, "0123456789");
      EXPECT_FALSE(answer->connection_reusable);
    }
  }
}

TEST(ProtocolTest, MutilatedAnswersAreEndedWithinTheirLimits) {
  std::mt19937 random(1);
  const std::string alphabet("\r\n:;, \0HTP/1.20x9fchunked", 25);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good_answers()[random() % good_answers().size()];
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const std::size_t place = random() % bytes.size();
      const char byte =
          random() % 2 == 0 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
      switch (random() % 4) {
        case 0:
          bytes[place] = byte;
          break;
        case 1:
          bytes.insert(place, 1 + random() % 3, byte);
          break;
        case 2:
          bytes.erase(place, 1 + random() % 5);
          break;
        default:
          bytes.insert(place, bytes.substr(random() % bytes.size(), random() % 40));
      }
      if (bytes.empty()) bytes = "H";
    }
    ScriptedConnection connection(bytes, 1 + random() % 50);
    const auto answer = exchange(connection);
    if (answer) {
      EXPECT_GE(answer->response.status, 200) << bytes;
      EXPECT_LE(answer->response.status, 599) << bytes;
      EXPECT_LE(answer->response.body.size(), kMaxBody);
    } else {
      EXPECT_FALSE(answer.error().failure.cause.empty()) << bytes;
    }
  }
}

TEST(TcpConnectionTest, SocketNeitherDelaysNorBlocksNorOutlivesExec) {
  RawPeer peer([](PeerConnection& connection) { connection.wait_for_close(); });
  StopSignal stop;
  const auto connection = TcpConnection::open("127.0.0.1", peer.port(), Clock::now() + 10s, stop);
  ASSERT_TRUE(connection);
  const int socket = (*connection)->descriptor();
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  ASSERT_EQ(getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
  EXPECT_NE(fcntl(socket, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl(socket, F_GETFL) & O_NONBLOCK, 0);
}

TEST(TcpConnectionTest, DataThatAlwaysComesOutlastsNoDeadline) {
  RawPeer peer([](PeerConnection& connection) {
    const std::string block(65536, 'x');
    while (connection.send(block)) {
    }
  });
  StopSignal stop;
  const auto connection = TcpConnection::open("127.0.0.1", peer.port(), Clock::now() + 10s, stop);
  ASSERT_TRUE(connection);
  const MonotonicTime deadline = Clock::now() + 100ms;
  expect_ends_at(100ms, [&] {
    char byte = 0;
    for (;;) {
      const auto received = (*connection)->read(&byte, 1, deadline);
      if (received) continue;
      EXPECT_EQ(received.error().kind, Kind::timeout);
      return;
    }
  });
}

}  // namespace
}  // namespace jobs_bridge::https
