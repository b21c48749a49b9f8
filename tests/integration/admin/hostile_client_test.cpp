#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/admin/admin_site.h"

/// Clients of the admin listener that have shown no token and mean ill.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// More unread data than the sockets' buffers hold.
constexpr std::size_t much = 64U << 20U;

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int flags = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | flags, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
        errno != EINPROGRESS) {
      throw std::runtime_error("cannot connect");
    }
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(socket_); }

  /// False: the other side has ended the connection.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// How much of endless repetitions the other side takes before it ends the connection.
  [[nodiscard]] std::size_t sendable(std::string_view piece) const {
    std::size_t sent = 0;
    while (sent < much && send(piece)) sent += piece.size();
    return sent;
  }
  /// All that the other side sends before it ends the connection.
  [[nodiscard]] std::string answer() const {
    std::string all;
    std::array<char, 4096> part;
    for (;;) {
      const auto got = recv(socket_, part.data(), part.size(), 0);
      if (got <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(got));
    }
  }
  /// Whether the other side ends the connection in this time.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds time) const {
    pollfd polled{socket_, POLLRDHUP, 0};
    return poll(&polled, 1, static_cast<int>(time.count())) == 1;
  }

 private:
  int socket_;
};

/// Of this process, which the server is a part of.
std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(AdminHostileClientTest, RequestWithoutEndIsCutOff) {
  const AdminSite site;
  const auto piece = repeated("a", 64 * 1024);
  for (const auto* begin : {"", "GET /", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: "}) {
    const RawClient client(site.port());
    ASSERT_TRUE(client.send(begin));
    EXPECT_LT(client.sendable(piece), much) << begin;
  }
  EXPECT_EQ(site.get("/healthz").status, 200);
}

TEST(AdminHostileClientTest, HeadersWithoutEndAreCutOff) {
  const AdminSite site;
  const RawClient client(site.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_LT(client.sendable(repeated("X: a\r\n", 10000)), much);
  EXPECT_EQ(site.get("/healthz").status, 200);
}

TEST(AdminHostileClientTest, RequestThatTricklesHoldsItsThreadForSecondsAtMost) {
  const AdminSite site;
  const RawClient client(site.port());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nX-Slow: "));
  const auto limit = steady_clock::now() + 20s;
  // A byte every now and then, so that no time limit between two bytes ever passes.
  while (!client.ends_within(100ms) && client.send("a")) {
    ASSERT_LT(steady_clock::now(), limit);
  }
}

TEST(AdminHostileClientTest, FloodOfClientsTakesFewDescriptorsAndDoesNotDelayTheEnd) {
  auto site = std::make_unique<AdminSite>();
  std::vector<std::unique_ptr<RawClient>> flood;
  // Those past the bound are never accepted, so that connecting must not be waited for.
  for (int i = 0; i < 200; ++i) {
    flood.push_back(std::make_unique<RawClient>(site->port(), SOCK_NONBLOCK));
  }
  ASSERT_TRUE(flood.front()->ends_within(10s)) << "some have been served";
  EXPECT_LT(descriptors(), flood.size() + 100);
  const auto began = steady_clock::now();
  site.reset();
  EXPECT_LT(steady_clock::now() - began, 10s);
}

TEST(AdminHostileClientTest, RangesOfThePageDoNotMultiplyIt) {
  const AdminSite site;
  const auto whole = site.get("/");
  const auto ranges = site.get("/", {{"Range", "bytes=" + repeated("0-,", 2000) + "0-"}});
  EXPECT_EQ(ranges.status, 200);
  EXPECT_EQ(ranges.body.size(), whole.body.size());
}

// What ThreadSanitizer keeps for a thread does not fit on so small a stack.
#if !defined(__SANITIZE_THREAD__)

/// Threads that start while it exists have small stacks.
class SmallStacks {
 public:
  SmallStacks() {
    pthread_getattr_default_np(&usual_);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256U << 10U);
    pthread_setattr_default_np(&small);
    pthread_attr_destroy(&small);
  }
  SmallStacks(const SmallStacks&) = delete;
  SmallStacks& operator=(const SmallStacks&) = delete;
  ~SmallStacks() {
    pthread_setattr_default_np(&usual_);
    pthread_attr_destroy(&usual_);
  }

 private:
  pthread_attr_t usual_{};
};

TEST(AdminHostileClientTest, RangesAreNotMatchedByRecursionHoweverTheyAreWrittenAndCutIntoPackets) {
  const SmallStacks small_stacks;
  const AdminSite site;
  for (const std::string name : {"Range", "range", "RANGE"}) {
    const auto request = "GET /healthz HTTP/1.1\r\nRan: 1\r\n" + name +
                         ": bytes=" + repeated("0-1,", 1900) + "0-1\r\nHost: localhost\r\n\r\n";
    for (const std::size_t first : {std::size_t{0}, request.find("\r\n" + name) + 4}) {
      const RawClient client(site.port());
      ASSERT_TRUE(client.send(request.substr(0, first)));
      ASSERT_TRUE(client.send(request.substr(first)));
      EXPECT_THAT(client.answer(), testing::StartsWith("HTTP/1.1 200")) << name << ", " << first;
    }
  }
}

#endif

TEST(AdminHostileClientTest, RequestAsLongAsABrowsersIsAnswered) {
  const AdminSite site;
  EXPECT_EQ(site.get("/healthz", {{"Cookie", "other=" + repeated("c", 7000)}}).status, 200);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
