#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/integration/mqtt/bridge_end.h"
#include "tests/support/certificates.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using std::chrono::steady_clock;

/// This process's connections to a port, and how many of them send without delay.
struct Sockets {
  std::size_t all = 0;
  std::size_t without_delay = 0;
};

Sockets sockets_to(std::uint16_t port) {
  Sockets sockets;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != port) continue;
    ++sockets.all;
    int on = 0;
    size = sizeof on;
    getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, &size);
    if (on != 0) ++sockets.without_delay;
  }
  return sockets;
}

class LatencyTest : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, LatencyTest, testing::Values(Protocol::v5, Protocol::v3_1_1),
                         protocol_name);

TEST_P(LatencyTest, ConnectionHasNoDelayAlsoAfterAReconnect) {
  MosquittoBroker broker;
  BridgeEnd bridge(settings_for(broker.port(), GetParam()));
  ASSERT_TRUE(bridge.start());
  for (int round = 0; round < 2; ++round) {
    const auto sockets = sockets_to(broker.port());
    EXPECT_EQ(sockets.all, 1U);
    EXPECT_EQ(sockets.without_delay, 1U);
    broker.stop();
    ASSERT_TRUE(bridge.wait_until_disconnected());
    broker.start();
    ASSERT_TRUE(bridge.wait_until_subscribed());
  }
}

TEST_P(LatencyTest, EchoDoesNotWaitForDelayedAcknowledgements) {
  TemporaryDirectory directory;
  const CertificateAuthority authority(directory.path());
  for (const bool tls : {false, true}) {
    MosquittoBroker::Options options;
    if (tls) {
      options.tls =
          authority.issue("broker", {.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}});
    }
    MosquittoBroker broker(options);
    auto settings = settings_for(broker.port(), GetParam());
    settings.tls = tls;
    if (tls) settings.ca_file = authority.certificate_file();
    BridgeEnd bridge(settings, {"in/#"}, echo);
    ASSERT_TRUE(bridge.start());
    MqttDevice device(
        {.port = broker.port(), .ca_file = tls ? authority.certificate_file() : std::string()});
    device.subscribe("out/#");
    std::vector<steady_clock::duration> times;
    for (int i = 0; i < 200; ++i) {
      const auto before = steady_clock::now();
      device.publish("in/a", "x");
      ASSERT_TRUE(device.next());
      times.push_back(steady_clock::now() - before);
    }
    std::sort(times.begin(), times.end());
    // The stall to be caught is 40 ms each time; without it this takes well under one.
    EXPECT_LT(times[times.size() / 2], std::chrono::milliseconds(10));
    RecordProperty(tls ? "median_us_tls" : "median_us",
                   static_cast<int>(times[times.size() / 2] / std::chrono::microseconds(1)));
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
