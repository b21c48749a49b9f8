#include "tests/integration/admin/canned_status.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using admin::Latency;
using admin::Status;

Latency latency(std::uint64_t count, Duration p50, Duration p95, Duration p99) {
  return {.count = count, .p50 = p50, .p95 = p95, .p99 = p99};
}

void fill_history(admin::History& history, double level) {
  history.step = 5s;
  for (int index = 0; index < 60; ++index) {
    const auto wave = level * (1 + 0.25 * std::sin(index / 4.0) + 0.1 * std::sin(index * 1.7));
    history.requests_per_second.push_back(index < 4 ? 0 : wave);
    const auto p50 = std::chrono::microseconds(4100 + 500 * (index % 7));
    const auto p99 = p50 * 3 + std::chrono::microseconds(index == 40 ? 60000 : 0);
    history.p50.push_back(index < 4 ? std::nullopt : std::optional<Duration>(p50));
    history.p99.push_back(index < 4 ? std::nullopt : std::optional<Duration>(p99));
  }
}

admin::ErrorEntry error(const Status& status, int seconds_ago, std::uint64_t count,
                        std::string code, std::string thing, std::string operation,
                        std::string message, std::string cause) {
  return {.first = status.now - seconds_ago - (count > 1 ? 300 : 0),
          .last = status.now - seconds_ago,
          .count = count,
          .code = std::move(code),
          .thing = std::move(thing),
          .several = false,
          .operation = std::move(operation),
          .message = std::move(message),
          .cause = std::move(cause)};
}

Status basis() {
  Status status;
  status.version = "0.1.0";
  status.now = std::time(nullptr);
  status.started = status.now - 187300;
  status.uptime = 187300s;
  status.broker.url = "mqtts://broker.gateway.local:8883";
  status.broker.connected = true;
  status.broker.subscribed = true;
  status.broker.canary = true;
  status.broker.flowing = true;
  status.broker.since = 187290s;
  status.broker.round_trip = 640us;
  status.broker.connections = 1;
  status.endpoint.url = "https://data.jobs.iot.eu-west-1.amazonaws.com";
  status.endpoint.connections = 32;
  status.reads = {.configured = 200, .allowed = 200, .slowed = false, .used = 0};
  status.writes = {.configured = 200, .allowed = 200, .slowed = false, .used = 0};
  status.requests.queue = 10000;
  fill_history(status.history, 0);
  return status;
}

}  // namespace

Status idle_status() {
  auto status = basis();
  status.broker.canary = false;
  status.broker.flowing = false;
  status.credentials.source = "none";
  return status;
}

Status healthy_status() {
  auto status = basis();
  status.history = {};
  fill_history(status.history, 84);
  status.broker.unacknowledged = 2;
  status.endpoint.called = true;
  status.endpoint.answered = true;
  status.endpoint.calls_in_flight = 3;
  status.endpoint.latency = latency(5012, 3700us, 9100us, 12800us);
  status.reads.used = 61.4;
  status.writes.used = 22.7;
  auto& requests = status.requests;
  requests.per_second = 84.1;
  requests.replies_per_second = 84.0;
  requests.rejected_per_second = 0.2;
  requests.waiting = 1;
  requests.accepted = 15730212;
  requests.rejected = 4120;
  requests.latency = latency(5046, 4200us, 9800us, 13400us);
  requests.by_operation = {latency(402, 5200us, 11ms, 15ms), latency(3100, 3900us, 8800us, 12ms),
                           latency(584, 4100us, 9ms, 12600us), latency(960, 4900us, 10ms, 14ms)};
  status.journal = {.enabled = true,
                    .path = "/var/lib/jobs-bridge/journal.db",
                    .entries = 4,
                    .bytes = 3480,
                    .max_bytes = 64 << 20,
                    .failing = false,
                    .cause = {},
                    .hint = {},
                    .takes_what_fits = false,
                    .disk_stalled = std::nullopt,
                    .not_recorded = 0,
                    .not_recorded_ago = std::nullopt,
                    .not_recorded_cause = {},
                    .longest_unsynced = 48ms,
                    .oldest_held = std::nullopt};
  status.credentials = {.source = "iot",
                        .valid = true,
                        .key_ends = "7QXA",
                        .expires = status.now + 2720,
                        .renewed_ago = 880s,
                        .fault = {},
                        .renewals = 58,
                        .failures = 0,
                        .clock_skew = 0};
  status.notifier = {.enabled = true,
                     .watched = 412,
                     .not_watched = 0,
                     .polls = 1284410,
                     .failed_polls = 31,
                     .notifications = 1290,
                     .interval = 60s};
  status.busiest = {{"press-line-3:plc", 612.4, ""},
                    {"gateway-camera-07", 301.0, ""},
                    {"sensor-0412", 58.2, ""},
                    {"sensor-0007", 12, ""}};
  status.failing = {{"sensor-0412", 11.5, "VersionMismatch"}};
  status.errors = {error(status, 12, 37, "VersionMismatch", "sensor-0412", "update",
                         "Job Execution version mismatch: expected 3 but was 5", ""),
                   error(status, 7400, 1, "InvalidTopic", "gateway-camera-07", "",
                         "no operation has the topic levels jobs/oops/now", "")};
  return status;
}

Status endpoint_down_status() {
  auto status = healthy_status();
  status.endpoint.reachable = false;
  status.endpoint.down_for = 754s;
  status.endpoint.cause =
      "connecting to data.jobs.iot.eu-west-1.amazonaws.com:443 took longer than 3 s";
  status.endpoint.calls_in_flight = 1;
  status.requests.held = 128;
  status.requests.pausing = 40;
  status.journal.entries = 128;
  status.journal.bytes = 93 << 10;
  status.journal.oldest_held = 740s;
  status.failing = {{"press-line-3:plc", 580.0, "InternalError"},
                    {"gateway-camera-07", 290.5, "InternalError"},
                    {"sensor-0412", 57, "InternalError"}};
  status.errors.insert(status.errors.begin(),
                       error(status, 1, 8123, "InternalError", "press-line-3:plc", "get",
                             "the endpoint is not reachable", status.endpoint.cause));
  return status;
}

Status broker_down_status() {
  auto status = healthy_status();
  status.broker.connected = false;
  status.broker.subscribed = false;
  status.broker.flowing = false;
  status.broker.since = 42s;
  status.broker.fault = {
      .kind = "unreachable",
      .text = "no TCP connection: Connection refused",
      .hint = "start the broker, or set broker.url to the address where it listens"};
  status.broker.connections = 5;
  status.broker.waiting = 17;
  return status;
}

Status throttled_status() {
  auto status = healthy_status();
  status.writes = {.configured = 200, .allowed = 46.5, .slowed = true, .used = 46.1};
  status.endpoint.throttled = 1.3;
  status.requests.waiting = 210;
  return status;
}

Status credentials_near_expiry_status() {
  auto status = healthy_status();
  status.credentials.expires = status.now + 240;
  status.credentials.renewed_ago = 3360s;
  status.credentials.fault =
      "the credential provider answered 403: the certificate is not attached to the role alias";
  status.credentials.failures = 9;
  status.credentials.clock_skew = -431;
  return status;
}

}  // namespace jobs_bridge::testing_support
