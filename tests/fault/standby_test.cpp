#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/bridge/site.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/wait_until.h"

/// An instance and its standby: whatever becomes of the instance, the standby serves after a while,
/// the instance again when it is back, and at no moment have both a call under way.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;

constexpr double lease = 5;  // s
constexpr auto long_enough = 60s;

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// An instance behind a link, and its standby, told apart at the endpoint by their access keys.
class Pair {
 public:
  Pair() : link(broker.port()) {
    endpoint.set_fault({{"kind", "none"}, {"delay_ms", 100}, {"jitter_ms", 200}});
    start_instance();
    device = std::thread([this] { ask(); });
  }
  ~Pair() {
    ending_ = true;
    device.join();
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void start_instance() {
    instance.emplace(settings(link.port(), "instance", {}), BridgeProcess::Wait::not_at_all,
                     keys("instance"));
  }

  void start_standby() {
    standby.emplace(settings(broker.port(), "standby", {"broker.standby=true"}),
                    BridgeProcess::Wait::not_at_all, keys("standby"));
  }

  struct Call {
    std::string by;
    double began = 0;
    double ended = 0;
  };
  std::vector<Call> calls() {
    std::vector<Call> all;
    const auto log = endpoint.calls();
    for (const auto& call : log.at("calls")) {
      const double began = call.at("arrivedAt");
      const auto& answered = call.at("answeredAt");
      all.push_back({call.at("accessKeyId"), began, answered.is_null() ? began : double(answered)});
    }
    return all;
  }
  /// When that one's first call since then came; 0: none did.
  double first_call(const std::string& by, double since) {
    double found = 0;
    wait_until(
        [&] {
          for (const auto& call : calls()) {
            if (call.by != by || call.began < since) continue;
            found = call.began;
            return true;
          }
          return false;
        },
        long_enough);
    return found;
  }
  bool standby_says(const std::string& text, std::size_t times) {
    const auto said = [&] {
      const auto log = standby->log();
      std::size_t count = 0;
      for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
      return count;
    };
    return wait_until([&] { return said() >= times; }, long_enough);
  }
  /// Those that began while another one's was under way.
  std::size_t overlaps() {
    auto all = calls();
    std::ranges::sort(all, {}, &Call::began);
    std::size_t count = 0;
    for (auto call = all.begin(); call != all.end(); ++call) {
      count += static_cast<std::size_t>(std::any_of(all.begin(), call, [&](const Call& earlier) {
        return earlier.by != call->by && earlier.ended > call->began;
      }));
    }
    return count;
  }

  MosquittoBroker broker;
  JobsEndpoint endpoint;
  TcpProxy link;
  std::optional<BridgeProcess> instance;
  std::optional<BridgeProcess> standby;

 private:
  static Process::Environment keys(const std::string& name) {
    return {{"AWS_ACCESS_KEY_ID", name}, {"AWS_SECRET_ACCESS_KEY", "secret"}};
  }
  [[nodiscard]] std::vector<std::string> settings(std::uint16_t port, const std::string& name,
                                                  const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"broker.url=mqtt://127.0.0.1:" + std::to_string(port),
                                    "broker.keep_alive=2s",
                                    "broker.lease=5s",
                                    "endpoint.url=" + endpoint.url(),
                                    "endpoint.region=eu-central-1",
                                    "credentials.source=environment",
                                    "journal.path=" + directory_.file(name),
                                    "log.level=info"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// As things do that are never content.
  void ask() {
    MqttDevice things({.port = broker.port(), .client_id = "things"});
    for (int i = 0; !ending_; ++i) {
      things.publish(start_next_topic("lamp-" + std::to_string(i % 20)), "{}");
      std::this_thread::sleep_for(20ms);
    }
  }

  TemporaryDirectory directory_;
  std::atomic<bool> ending_{false};
  std::thread device;
};

struct Trouble {
  std::string name;
  std::function<void(Pair&)> begins;
  std::function<void(Pair&)> ends;
};

void run(const Trouble& trouble) {
  SCOPED_TRACE(trouble.name);
  Pair pair;
  ASSERT_GT(pair.first_call("instance", 0), 0) << pair.instance->log();
  pair.start_standby();
  ASSERT_TRUE(pair.standby_says("standing by", 1)) << pair.standby->log();
  const auto began = unix_seconds();
  trouble.begins(pair);
  const auto taken = pair.first_call("standby", began);
  ASSERT_GT(taken, 0) << pair.standby->log();
  const auto ended = unix_seconds();
  trouble.ends(pair);
  const auto back = pair.first_call("instance", ended);
  ASSERT_GT(back, 0) << pair.instance->log() << pair.standby->log();
  EXPECT_GE(back - ended, lease) << pair.instance->log();
  EXPECT_TRUE(pair.standby_says("standing by", 2)) << pair.standby->log();
  EXPECT_EQ(pair.overlaps(), 0U);
  std::cout << trouble.name << ": the standby made its first call after " << taken - began
            << " s, the instance " << back - ended << " s after it was back, of "
            << pair.calls().size() << " calls\n";
}

TEST(StandbyTest, ServesWhenItsInstanceIsGoneAndNeverAtTheSameMoment) {
  const std::vector<Trouble> troubles = {
      {"killed",
       [](Pair& pair) {
         pair.instance->process().signal(SIGKILL);
         pair.instance->process().wait();
       },
       [](Pair& pair) { pair.start_instance(); }},
      {"frozen", [](Pair& pair) { pair.instance->process().signal(SIGSTOP); },
       [](Pair& pair) { pair.instance->process().signal(SIGCONT); }},
      {"cut off", [](Pair& pair) { pair.link.stall(); }, [](Pair& pair) { pair.link.resume(); }}};
  std::vector<std::thread> at_once;  // most of what they take is waiting
  for (const auto& trouble : troubles) at_once.emplace_back([&] { run(trouble); });
  for (auto& thread : at_once) thread.join();
}

}  // namespace
}  // namespace jobs_bridge::testing_support
