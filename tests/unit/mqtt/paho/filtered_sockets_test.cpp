#include "adapters/mqtt/paho/filtered_sockets.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jobs_bridge::mqtt {
namespace {

/// A TCP connection over loopback, both ends in this process.
class LoopbackConnection {
 public:
  LoopbackConnection() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    client_ = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(client_, generic, sizeof address), 0);
    server_ = accept(listener_, nullptr, nullptr);
  }
  LoopbackConnection(const LoopbackConnection&) = delete;
  LoopbackConnection& operator=(const LoopbackConnection&) = delete;
  ~LoopbackConnection() {
    for (const int descriptor : {client_, server_, listener_}) close(descriptor);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int client() const { return client_; }
  [[nodiscard]] int server() const { return server_; }
  [[nodiscard]] bool client_has_no_delay() const { return has_no_delay(client_); }
  [[nodiscard]] bool server_has_no_delay() const { return has_no_delay(server_); }

 private:
  static bool has_no_delay(int descriptor) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
    return value != 0;
  }
  int listener_ = -1;
  int client_ = -1;
  int server_ = -1;
  std::uint16_t port_ = 0;
};

TEST(FilteredSocketsTest, ConnectionToThePeerIsReadThroughAFilterAndWritesWithoutDelay) {
  const LoopbackConnection connection;
  ASSERT_FALSE(connection.client_has_no_delay());
  const FilteredPeer peer("127.0.0.1", connection.port(), {});
  auto* const filter = filter_of(connection.client());
  EXPECT_NE(filter, nullptr);
  EXPECT_TRUE(connection.client_has_no_delay());
  EXPECT_EQ(filter_of(connection.client()), filter);
}

TEST(FilteredSocketsTest, OtherConnectionsAreLeftAlone) {
  const LoopbackConnection wanted;
  const LoopbackConnection other;
  const FilteredPeer peer("127.0.0.1", wanted.port(), {});
  const FilteredPeer of_other_address("127.0.0.2", other.port(), {});
  EXPECT_EQ(filter_of(other.client()), nullptr);
  EXPECT_FALSE(other.client_has_no_delay());
  EXPECT_EQ(filter_of(wanted.server()), nullptr);
  EXPECT_FALSE(wanted.server_has_no_delay());
}

}  // namespace
}  // namespace jobs_bridge::mqtt
