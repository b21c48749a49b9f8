// start-next through the whole bridge: devices on MQTT 5 at QoS 1, a real mosquitto, the emulator
// over TLS. Prints the latency of requests one after another, and throughput and the bridge's own
// CPU time with many in flight.
//
//   start_next_bench [REQUESTS [IN_FLIGHT]]
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/bridge_process.h"
#include "tests/support/certificates.h"
#include "tests/support/jobs_endpoint.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {
namespace {

using std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

/// User and system time of a process, in microseconds.
double cpu_time(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string skipped;
  std::getline(file, skipped, ')');
  for (int field = 3; field < 14; ++field) file >> skipped;
  double user = 0;
  double system = 0;
  file >> user >> system;
  return (user + system) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// A line such as `VmRSS:  12345 kB` of a process's status.
std::string status_line(pid_t process, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return line.substr(name.size() + 1);
  }
  return {};
}

std::string topic_of(std::size_t device) {
  return "$aws/things/device-" + std::to_string(device) + "/jobs/start-next";
}

struct Site {
  TemporaryDirectory directory;
  CertificateAuthority authority{directory.path()};
  MosquittoBroker broker{{.configuration = "max_inflight_messages 0\nmax_queued_messages 0"}};
  JobsEndpoint endpoint;
  BridgeProcess bridge;
  MqttDevice device;

  explicit Site(std::size_t things)
      : endpoint({.tls = authority.issue("endpoint", {.dns_names = {"localhost"}}),
                  .arguments = {"--things", "device:" + std::to_string(things) + ":1"}}),
        bridge({"broker.url=" + broker.url(), "endpoint.url=" + endpoint.url(),
                "endpoint.ca_file=" + authority.certificate_file(), "log.level=info"}),
        device({.port = broker.port()}) {
    device.subscribe("$aws/things/+/jobs/start-next/accepted");
  }

  void ask(std::size_t thing) { device.publish(topic_of(thing), R"({"clientToken":"bench"})"); }
  void hear() {
    if (!device.next()) throw std::runtime_error("no reply\n" + bridge.log());
  }
};

void measure_latency(std::size_t requests) {
  Site site(1);
  for (int i = 0; i < 20; ++i) {
    site.ask(1);
    site.hear();
  }
  std::vector<double> times;
  for (std::size_t i = 0; i < requests; ++i) {
    const auto start = steady_clock::now();
    site.ask(1);
    site.hear();
    times.push_back(Microseconds(steady_clock::now() - start).count() / 1000);
  }
  std::sort(times.begin(), times.end());
  std::printf("one after another, %zu requests: p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n",
              requests, times[requests / 2], times[requests * 99 / 100], times.back());
}

void measure_throughput(std::size_t requests, std::size_t in_flight) {
  Site site(in_flight);
  const auto process = site.bridge.process().id();
  const auto run = [&](std::size_t count) {
    std::size_t asked = 0;
    for (; asked < in_flight; ++asked) site.ask(asked % in_flight + 1);
    for (std::size_t heard = 0; heard < count; ++heard) {
      site.hear();
      if (asked < count) site.ask(asked++ % in_flight + 1);
    }
  };
  run(in_flight * 10);  // connections stand and threads have started
  const auto cpu = cpu_time(process);
  const auto start = steady_clock::now();
  run(requests);
  const auto took = Microseconds(steady_clock::now() - start).count();
  const auto spent = cpu_time(process) - cpu;
  std::printf("%zu in flight, %zu requests: %.0f requests/s, %.0f us CPU a request\n", in_flight,
              requests, static_cast<double>(requests) * 1e6 / took,
              spent / static_cast<double>(requests));
  std::printf("RSS %s, threads %s\n", status_line(process, "VmRSS:").c_str(),
              status_line(process, "Threads:").c_str());
}

}  // namespace
}  // namespace jobs_bridge::testing_support

int main(int count, char** values) {
  using namespace jobs_bridge::testing_support;
  const auto number = [&](int index, std::size_t otherwise) {
    return count > index ? std::strtoul(values[index], nullptr, 10) : otherwise;
  };
  try {
    measure_latency(1000);
    measure_throughput(number(1, 20000), number(2, 200));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
