#include <httplib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/integration/bridge/site.h"
#include "tests/support/free_port.h"
#include "tests/support/wait_until.h"

/// The bridge as a service: what it tells the service manager, and reloading.
namespace jobs_bridge::testing_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A socket such as systemd gives a service to send its news to (sd_notify(3)).
class NotifySocket {
 public:
  explicit NotifySocket(std::string path) : path_(std::move(path)) {
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error("cannot bind " + path_);
    }
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket() { close(socket_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Waits until such news has come since the last time it was asked for.
  bool hears(const std::string& news) {
    return wait_until([&] {
      std::array<char, 4096> buffer{};
      for (ssize_t size = 0; (size = recv(socket_, buffer.data(), buffer.size(), 0)) > 0;) {
        heard_.append(buffer.data(), static_cast<std::size_t>(size)).append("\n");
      }
      const auto at = heard_.find(news);
      if (at == std::string::npos) return false;
      heard_.erase(0, at + news.size());
      return true;
    });
  }
  [[nodiscard]] const std::string& unread() const { return heard_; }

 private:
  std::string path_;
  int socket_ = -1;
  std::string heard_;
};

class ServiceTest : public ::testing::Test {
 protected:
  void configure(const std::string& more) const {
    std::ofstream(path()) << "[broker]\nurl = \"" << broker_.url() << "\"\n[endpoint]\nurl = \""
                          << endpoint_.url()
                          << "\"\n[credentials]\nsource = \"none\"\n"
                             "[admin]\nlisten = \"127.0.0.1:0\"\n"
                          << more;
  }
  [[nodiscard]] std::string path() const { return directory_.file("jobs-bridge.toml"); }
  void start(const Process::Environment& environment = {}) {
    bridge_.emplace(std::vector<std::string>{JOBS_BRIDGE_PROGRAM, "run", "--config", path()},
                    environment);
    ASSERT_TRUE(bridge_->wait_for_output("ready for requests")) << bridge_->output();
  }
  /// SIGHUP, and what the log says after it up to `end`.
  std::string reload(const std::string& end) {
    const auto from = bridge_->output().size();
    bridge_->signal(SIGHUP);
    EXPECT_TRUE(bridge_->wait_for_output(end, wait_limit, from)) << bridge_->output();
    return bridge_->output().substr(from);
  }

  TemporaryDirectory directory_;
  MosquittoBroker broker_;
  JobsEndpoint endpoint_;
  std::optional<Process> bridge_;
};

TEST_F(ServiceTest, SystemdHearsOfReadinessStateLifeAndTheEnd) {
  NotifySocket systemd(directory_.file("notify"));
  configure("");
  start({{"NOTIFY_SOCKET", systemd.path()}, {"WATCHDOG_USEC", "300000"}});
  EXPECT_TRUE(systemd.hears("READY=1"));
  EXPECT_TRUE(systemd.hears("STATUS=ready\n"));
  EXPECT_TRUE(systemd.hears("WATCHDOG=1"));
  EXPECT_TRUE(systemd.hears("WATCHDOG=1")) << "again and again";
  broker_.stop(SIGTERM);
  EXPECT_TRUE(systemd.hears("STATUS=not ready: No connection to the broker"));
  EXPECT_TRUE(systemd.hears("WATCHDOG=1")) << "a broker that is away is no reason to restart us";
  bridge_->signal(SIGHUP);
  EXPECT_TRUE(systemd.hears("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_TRUE(systemd.hears("READY=1"));
  bridge_->signal(SIGTERM);
  EXPECT_EQ(bridge_->wait(), 0);
  EXPECT_TRUE(systemd.hears("STOPPING=1"));
}

TEST_F(ServiceTest, StepsOfTheStartAreLoggedAtDebugAndEndWithTheConnectionToTheBroker) {
  configure("[log]\nlevel = \"debug\"\n[journal]\npath = \"" + directory_.file("journal.db") +
            "\"\n");
  start();
  const auto log = bridge_->output();
  std::size_t at = 0;
  for (const std::string step : {"open the endpoint", "open the journal", "start the dispatcher",
                                 "open the admin listener", "connect to the broker"}) {
    at = log.find("step=\"" + step + "\" took=", at);
    ASSERT_NE(at, std::string::npos) << step << "\n" << log;
  }
}

TEST_F(ServiceTest, TheProxyOfOtherProgramsIsNotForTheBroker) {
  configure("");
  const auto nowhere = "http://127.0.0.1:" + std::to_string(free_port());
  start({{"http_proxy", nowhere}, {"https_proxy", nowhere}});
}

TEST_F(ServiceTest, LimitsAndLogLevelOfTheNewConfigurationCountAfterSighup) {
  configure("[limits]\nmax_payload = \"128KiB\"\n");
  start();
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/+");
  const std::string payload = "{\"unknown\":\"" + std::string(1100, 'x') + "\"}";
  device.publish(start_next_topic("lamp"), payload);
  EXPECT_THAT(device.next()->topic, testing::EndsWith("/accepted"));

  configure("[limits]\nmax_payload = \"1KiB\"\n[log]\nlevel = \"debug\"\n");
  const auto log = reload("reloaded");
  EXPECT_THAT(log, HasSubstr("changed=\"limits.max_payload, log.level\"")) << log;
  device.publish(start_next_topic("lamp"), payload);
  EXPECT_THAT(device.next()->topic, testing::EndsWith("/rejected"));
  EXPECT_TRUE(bridge_->wait_for_output("request rejected: InvalidRequest")) << "at debug";
}

TEST_F(ServiceTest, AThingThatHasAskedHearsOfItsNextJobByDefault) {
  configure("[notify]\ninterval = \"1s\"\n");
  start();
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/start-next/accepted");
  device.subscribe("$aws/things/+/jobs/notify-next");
  device.publish(start_next_topic("lamp"), "{}");
  EXPECT_THAT(device.next()->topic, testing::EndsWith("/accepted"));
  endpoint_.create_job("job-1", {"lamp"});
  const auto heard = device.next();
  ASSERT_TRUE(heard) << bridge_->output();
  EXPECT_THAT(heard->payload, HasSubstr(R"("jobId":"job-1")"));
  EXPECT_THAT(bridge_->output(), HasSubstr("set journal.path and notify.path"));
}

TEST_F(ServiceTest, RepeatedRepliesOfTheNewConfigurationCountAfterSighup) {
  endpoint_.create_job("job-1", {"lamp"});
  configure("");
  start();
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/accepted");
  device.subscribe("$aws/things/+/jobs/notify-next");
  configure("[notify]\nrepeat_replies = [\"la*\"]\n");
  EXPECT_THAT(reload("reloaded"), HasSubstr("changed=notify.repeat_replies"));
  device.publish(start_next_topic("lamp"), "{}");
  for (const auto* end : {"/accepted", "/notify-next"}) {
    const auto heard = device.next();
    ASSERT_TRUE(heard) << end << bridge_->output();
    EXPECT_THAT(heard->topic, testing::EndsWith(end));
  }
}

TEST_F(ServiceTest, QuotaOfTheNewConfigurationCountsAfterSighup) {
  configure("[limits]\nwrites_per_second = 1\n");
  start();
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/+");
  configure("[limits]\nwrites_per_second = 0\n");
  reload("reloaded");
  const auto began = std::chrono::steady_clock::now();
  for (int thing = 0; thing < 30; ++thing) {
    device.publish(start_next_topic("lamp-" + std::to_string(thing)), "{}");
  }
  for (int thing = 0; thing < 30; ++thing) {
    const auto reply = device.next();
    ASSERT_TRUE(reply);
    EXPECT_THAT(reply->topic, testing::EndsWith("/accepted"));
  }
  // At one a second most would have been rejected after eight.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(7));
}

TEST_F(ServiceTest, ReloadOfAnUnchangedConfigurationSaysSoPlainly) {
  configure("");
  start();
  const auto log = reload("reloaded");
  EXPECT_THAT(log, HasSubstr("reloaded: no key of the configuration has changed\n"));
  EXPECT_THAT(log, Not(HasSubstr("credentials"))) << "there are none to fetch";
}

/// While calls hang, so that nothing but the limit that has changed rejects anything.
TEST_F(ServiceTest, EveryLimitTakesEffectAfterSighup) {
  const auto configure_limits = [&](const std::string& limits) {
    configure("[notify]\nenabled = false\n[limits]\n" + limits);
  };
  configure_limits("deadline = \"5min\"\n");
  start();
  endpoint_.set_fault({{"kind", "hang"}});
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/rejected");
  const auto change = [&](const std::string& key, const std::string& limits) {
    configure_limits(limits);
    EXPECT_THAT(reload("reloaded"), HasSubstr("changed=limits." + key));
  };
  const auto ask = [&](const std::string& thing, const std::string& token) {
    device.publish(start_next_topic(thing), R"({"clientToken":")" + token + R"("})");
  };
  const auto rejection = [&] {
    const auto heard = device.next();
    return heard ? heard->payload : bridge_->output();
  };
  const auto line = bridge_->wait_for_line("admin listener url=").value_or("");
  httplib::Client admin(line.substr(line.find("http://"), line.rfind('/') - line.find("http://")));
  // The page is up to a second old.
  const auto shows = [&](const std::string& metric) {
    return wait_until([&] {
      return admin.Get("/metrics")->body.find("\njobs_bridge_" + metric + "\n") !=
             std::string::npos;
    });
  };
  change("deadline", "deadline = \"1s\"\n");
  ask("lamp", "late");
  EXPECT_THAT(rejection(), HasSubstr("late"));

  std::string limits = "deadline = \"5min\"\n";
  change("deadline", limits);
  const auto lower = [&](const std::string& key, const std::string& value) {
    limits += key + " = " + value + "\n";
    change(key, limits);
  };
  lower("max_payload", "\"1KiB\"");
  ask("lamp", std::string(1100, 'x'));
  EXPECT_THAT(rejection(), HasSubstr("the limit is 1024"));
  lower("queue_per_thing", "1");
  ASSERT_TRUE(shows("calls_in_flight 0")) << "the late one's has ended";
  ask("lamp", "called");
  ASSERT_TRUE(shows("calls_in_flight 1")) << "until its call begins it waits, too";
  for (const auto* token : {"waits", "too many"}) ask("lamp", token);
  EXPECT_THAT(rejection(), HasSubstr("this thing's queue is full: 1 "));
  lower("queue", "1");
  ask("pump", "too many");
  EXPECT_THAT(rejection(), HasSubstr("the gateway's queue is full: 1 "));

  lower("reads_per_second", "7");
  lower("writes_per_second", "9");
  EXPECT_TRUE(shows("quota_allowed_per_second{quota=\"reads\"} 7"));
  EXPECT_TRUE(shows("quota_allowed_per_second{quota=\"writes\"} 9"));
}

TEST_F(ServiceTest, WhatCannotBeReloadedIsNamedAndStaysAsItWas) {
  configure("");
  start();
  configure("[topics]\nbase = \"other/{thing}/jobs\"\n[notify]\nenabled = false\n");
  const auto log = reload("take effect only after a restart");
  EXPECT_THAT(log, HasSubstr("keys=\"notify.enabled, topics.base\"")) << log;
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/+");
  device.publish(start_next_topic("lamp"), "{}");
  EXPECT_TRUE(device.next());
}

TEST_F(ServiceTest, LargerPayloadThanTheBrokerLetsThroughStaysAsItWasAndIsNamed) {
  configure("");
  start();
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/+");
  const auto reply_to = [&](std::size_t size) {
    device.publish(start_next_topic("lamp"), "{\"unknown\":\"" + std::string(size, 'x') + "\"}");
    const auto reply = device.next();
    return reply ? reply->topic.substr(reply->topic.rfind('/')) : "none";
  };
  for (int time = 0; time < 2; ++time) {
    configure("[limits]\nmax_payload = \"257KiB\"\nqueue = 5000\n");
    const auto log = reload("take effect only after a restart");
    EXPECT_THAT(log, HasSubstr("keys=limits.max_payload")) << log;
    EXPECT_THAT(log, HasSubstr(time == 0 ? "changed=limits.queue"
                                         : "reloaded: every key that has changed needs a restart"))
        << log;
    EXPECT_EQ(reply_to(std::size_t{200} << 10U), "/rejected");
  }
  configure("[limits]\nmax_payload = \"256KiB\"\nqueue = 5000\n");
  const auto log = reload("reloaded");
  EXPECT_THAT(log, HasSubstr("changed=limits.max_payload")) << log;
  EXPECT_EQ(reply_to(std::size_t{250} << 10U), "/accepted");
}

TEST_F(ServiceTest, PayloadLoweredWhileTheBridgeRunsCanBeRaisedToThatOfTheStart) {
  configure("[limits]\nmax_payload = \"1MiB\"\n");
  start();
  for (const auto* size : {"1KiB", "1MiB"}) {
    configure("[limits]\nmax_payload = \"" + std::string(size) + "\"\n");
    const auto log = reload("reloaded");
    EXPECT_THAT(log, HasSubstr("changed=limits.max_payload")) << log;
  }
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/+");
  device.publish(start_next_topic("lamp"), "{\"unknown\":\"" + std::string(1000000, 'x') + "\"}");
  const auto reply = device.next();
  ASSERT_TRUE(reply);
  EXPECT_THAT(reply->topic, testing::EndsWith("/accepted"));
}

TEST_F(ServiceTest, ConfigurationWithAFaultChangesNothingAndIsNamedWithItsLine) {
  configure("");
  start();
  configure("[limits]\nmax_payload = \"64 parsecs\"\n[log]\nlevel = \"debug\"\n");
  const auto log = reload("nothing was reloaded");
  EXPECT_THAT(log, HasSubstr(path() + ":10: limits.max_payload")) << log;
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/+");
  device.publish(start_next_topic("lamp"), "{}");
  EXPECT_TRUE(device.next());
  EXPECT_THAT(bridge_->output(), Not(HasSubstr("request accepted"))) << "still not at debug";
}

TEST_F(ServiceTest, RequestsUnderWayAreNotDroppedByAReload) {
  configure("");
  start();
  endpoint_.set_fault({{"kind", "none"}, {"delay_ms", 300}});
  MqttDevice device({.port = broker_.port()});
  device.subscribe("$aws/things/+/jobs/+/+");
  for (int thing = 0; thing < 50; ++thing) {
    device.publish(start_next_topic("lamp-" + std::to_string(thing)), "{}");
    if (thing % 10 == 0) bridge_->signal(SIGHUP);
  }
  for (int thing = 0; thing < 50; ++thing) {
    const auto reply = device.next();
    ASSERT_TRUE(reply) << thing << "\n" << bridge_->output();
    EXPECT_THAT(reply->topic, testing::EndsWith("/accepted"));
  }
}

}  // namespace
}  // namespace jobs_bridge::testing_support
