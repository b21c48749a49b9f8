#include "adapters/daemon/daemon.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/admin/activity.h"
#include "adapters/admin/metrics.h"
#include "adapters/admin/readiness.h"
#include "adapters/admin/server.h"
#include "adapters/daemon/clocks.h"
#include "adapters/daemon/dispatcher.h"
#include "adapters/daemon/endpoint_access.h"
#include "adapters/daemon/milliseconds.h"
#include "adapters/daemon/notification_report.h"
#include "adapters/daemon/process.h"
#include "adapters/daemon/ready_report.h"
#include "adapters/daemon/reload.h"
#include "adapters/daemon/request_log.h"
#include "adapters/daemon/service_manager.h"
#include "adapters/daemon/settings.h"
#include "adapters/daemon/standby.h"
#include "adapters/daemon/status_source.h"
#include "adapters/daemon/stores.h"
#include "adapters/fibers/event_loop.h"
#include "adapters/mqtt/broker_connection.h"
#include "bridge/flow/engine.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// SIGTERM to exit takes 5 s at most: for requests in progress, then for the broker to acknowledge
/// their replies; the rest is for taking down connections.
constexpr Duration requests_timeout = 2200ms;
constexpr Duration replies_timeout = 1s;

/// Seldom enough to cost nothing, soon enough after an outage.
constexpr Duration between_returns_of_memory = 1min;

/// While the broker serves and something else is missing.
constexpr Duration between_looks_at_readiness = 1s;

/// A short text for the service manager.
std::string summary(const admin::Verdict& verdict) {
  if (!verdict.ready()) return "not ready: " + verdict.reasons.front().message;
  if (!verdict.warnings.empty()) return "ready, but: " + verdict.warnings.front().message;
  return "ready";
}

/// The interval of self-checks: for the service manager, if there is one, or to return free memory.
Duration between_reports(const ServiceManager& manager) {
  if (!manager.listens()) return between_returns_of_memory;
  constexpr Duration usual = 5s;
  return std::min(usual, manager.watchdog().value_or(usual) / 3);
}

void report_status(ServiceManager& manager, const StatusSource& status, Log& log) {
  try {
    manager.say(summary(admin::readiness(status.take())));
    manager.alive();
  } catch (const std::exception& error) {
    log.write(Severity::error,
              "the watchdog was not notified, because the bridge's state could not be determined",
              {{"cause", error.what()}, {"hint", "check the machine's memory and its load"}});
  }
}

/// The running bridge: what it is made of, each part after those that it refers to.
class Daemon {
 public:
  Daemon(const Start& start, Log& log)
      : start_(start),
        configuration_(*start.loaded.configuration),
        log_(log),
        topics_(topics_of(configuration_)) {}
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  /// The connections end first: what they report goes to parts that are destroyed before them.
  ~Daemon() { disconnect(); }

  /// Returns whether all steps have succeeded; the log says why not.
  bool start_up();
  /// Until SIGTERM or SIGINT.
  void serve();
  void shut_down();

 private:
  /// Nothing, or why the step has failed.
  using Fault = std::optional<std::string>;
  struct Step {
    const char* name;
    const char* key;  ///< of the configuration, with which a fault has to do
    Fault (Daemon::*run)();
  };
  static const std::vector<Step>& steps();

  Fault read_broker_settings();
  Fault open_endpoint();
  Fault open_watch_store();
  Fault open_journal();
  Fault make_engine();
  Fault make_connection();
  Fault start_dispatcher();
  Fault open_admin();
  Fault connect();

  /// Nothing if there is no standby, and this is none.
  std::optional<Dispatcher::PrimaryRole> primary_role();
  Reload::Parts reloaded_parts();
  void disconnect();

  const Start& start_;
  const config::Configuration& configuration_;
  Log& log_;
  const TopicGrammar topics_;

  std::optional<mqtt::BrokerSettings> broker_settings_;
  std::unique_ptr<EndpointAccess> endpoint_;
  MaybeStore watch_store_;
  MaybeJournal journal_;
  std::optional<Engine> engine_;  ///< until the dispatcher has it

  std::optional<RequestLog> request_log_;
  std::optional<admin::Activity> activity_;
  admin::Metrics metrics_;
  std::optional<NotificationReport> notifications_;

  std::optional<fibers::EventLoop> loop_;
  std::optional<mqtt::BrokerConnection> broker_;
  std::optional<Dispatcher> dispatcher_;
  std::optional<StatusSource> status_;
  std::optional<ReadyReport> ready_;
  std::optional<Standby> standby_;
  std::unique_ptr<admin::Server> admin_;  ///< null if it is off
};

const std::vector<Daemon::Step>& Daemon::steps() {
  static const std::vector<Step> all = {
      {"read the broker's settings", "broker.password_file", &Daemon::read_broker_settings},
      {"open the endpoint", "endpoint", &Daemon::open_endpoint},
      {"open the store of watched things", "notify.path", &Daemon::open_watch_store},
      {"open the journal", "journal.path", &Daemon::open_journal},
      {"take over what was kept", "journal.path", &Daemon::make_engine},
      {"make the MQTT client", "broker", &Daemon::make_connection},
      {"start the dispatcher", "endpoint.connections", &Daemon::start_dispatcher},
      {"open the admin listener", "admin", &Daemon::open_admin},
      {"connect to the broker", "broker", &Daemon::connect},
  };
  return all;
}

bool Daemon::start_up() {
  for (const auto& step : steps()) {
    const auto began = std::chrono::steady_clock::now();
    if (const auto fault = (this->*step.run)()) {
      log_.write(Severity::error, "cannot start",
                 {{"key", step.key},
                  {"cause", *fault},
                  {"hint",
                   "correct what the cause names, or the key; \"jobs-bridge check --connect\" "
                   "tries everything that the bridge needs"}});
      return false;
    }
    const auto took = std::chrono::steady_clock::now() - began;
    log_.write(Severity::debug, "start-up step done",
               {{"step", step.name}, {"took", in_milliseconds(took)}});
  }
  return true;
}

Daemon::Fault Daemon::read_broker_settings() {
  auto settings = broker_settings(configuration_);
  if (!settings) return settings.error();
  broker_settings_ = *std::move(settings);
  return {};
}

Daemon::Fault Daemon::open_endpoint() {
  auto endpoint = EndpointAccess::open(configuration_, log_);
  if (!endpoint) return endpoint.error();
  endpoint_ = *std::move(endpoint);
  return {};
}

Daemon::Fault Daemon::open_watch_store() {
  report_what_is_not_kept(configuration_, log_);
  auto store = jobs_bridge::open_watch_store(configuration_.notify, log_);
  if (!store) return store.error();
  watch_store_ = *std::move(store);
  return {};
}

Daemon::Fault Daemon::open_journal() {
  auto journal = jobs_bridge::open_journal(configuration_.journal, log_);
  if (!journal) return journal.error();
  journal_ = *std::move(journal);
  return {};
}

Daemon::Fault Daemon::make_engine() {
  auto settings = engine_settings(configuration_);
  settings.seed = std::random_device()();
  engine_.emplace(settings, topics_);
  if (journal_) take_over(*engine_, *journal_, log_);
  watch_things(*engine_, configuration_.notify, watch_store_.get());
  return {};
}

Daemon::Fault Daemon::make_connection() {
  loop_.emplace();
  // The broker's messages go to the dispatcher and the dispatcher's replies to the broker, so one
  // of them must get the other after its construction; messages come only once the connection is
  // started.
  broker_.emplace(
      *broker_settings_, topics_.filters(configuration_.broker.share_group),
      [this](Message message) { dispatcher_->receive(std::move(message)); }, *loop_, log_);
  broker_->report_serving([this] { ready_->broker_serves(); });
  broker_->report_ended_replies(
      [this](const std::vector<std::uint64_t>& updates) { dispatcher_->replies_ended(updates); });
  return {};
}

std::optional<Dispatcher::PrimaryRole> Daemon::primary_role() {
  const auto& settings = configuration_.broker;
  if (settings.lease.count() == 0) return std::nullopt;
  const Lease lease(settings.lease, settings.standby);
  broker_->set_wanted(lease.wants_primary());
  return Dispatcher::PrimaryRole{
      .lease = lease, .set = [this](bool be_primary) { broker_->set_wanted(be_primary); }};
}

Daemon::Fault Daemon::start_dispatcher() {
  request_log_.emplace(topics_, log_);
  activity_.emplace(topics_);
  notifications_.emplace(log_);
  dispatcher_.emplace(
      *std::exchange(engine_, std::nullopt), configuration_.endpoint.connections, *loop_,
      endpoint_->endpoint(), *broker_,
      Dispatcher::Stores{.journal = journal_.get(), .watched = watch_store_.get()},
      Dispatcher::Observers{&*request_log_, &*activity_, &metrics_, &*notifications_}, log_,
      read_clocks, primary_role());
  status_.emplace(configuration_, StatusSource::Parts{.dispatcher = *dispatcher_,
                                                      .broker = *broker_,
                                                      .endpoint = *endpoint_,
                                                      .journal = journal_.get(),
                                                      .activity = *activity_});
  ready_.emplace([this] { return status_->take(); }, log_);
  return {};
}

Daemon::Fault Daemon::open_admin() {
  if (!configuration_.admin.listen) return {};
  auto settings = admin_settings(configuration_.admin);
  if (!settings) return settings.error();
  auto server = admin::Server::start(
      *std::move(settings), [this] { return status_->take(); }, metrics_, log_);
  if (!server) return server.error();
  admin_ = *std::move(server);
  return {};
}

Daemon::Fault Daemon::connect() {
  if (configuration_.broker.lease.count() > 0) {
    standby_.emplace(*broker_, [this](const auto& event) { dispatcher_->lease_event(event); });
    if (configuration_.broker.standby) {
      standby_->watch(watch_settings(configuration_, *broker_settings_),
                      broker_settings_->canary_topic, *loop_, log_);
    }
  }
  broker_->start();
  return {};
}

Reload::Parts Daemon::reloaded_parts() {
  return {.limits =
              [this](const config::Configuration& fresh) {
                // The rest is as it was: it cannot be changed without a restart.
                auto changed = configuration_;
                changed.limits = fresh.limits;
                changed.notify.repeat_replies = fresh.notify.repeat_replies;
                dispatcher_->change_limits(engine_settings(changed));
                status_->set_limits(fresh.limits);
              },
          .log_level = start_.set_log_level,
          .credentials =
              [this] {
                auto* keeper = endpoint_->credentials();
                if (keeper != nullptr) keeper->renew();
                return keeper != nullptr;
              }};
}

void Daemon::serve() {
  Reload reload(start_.loaded, start_.load_again, reloaded_parts(), log_);
  ServiceManager manager;
  manager.ready();
  const auto pause = between_reports(manager);
  auto reported = std::chrono::steady_clock::now();
  auto memory_returned = reported;
  while (true) {
    const auto signal = wait_for_signal(std::min(pause, between_looks_at_readiness));
    ready_->log_if_ready();
    if (signal == SIGHUP) {
      manager.reloading();
      reload();
      manager.ready();
    } else if (signal) {
      log_.write(Severity::info, "stopping", {{"signal", *signal == SIGTERM ? "TERM" : "INT"}});
      manager.stopping();
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    notifications_->log_if_due(now, [this] { return dispatcher_->snapshot().notifier; });
    if (manager.listens() && (signal || now - reported >= pause)) {
      report_status(manager, *status_, log_);
      reported = now;
    }
    if (now - memory_returned >= between_returns_of_memory) {
      trim_heap();
      memory_returned = now;
    }
  }
}

void Daemon::disconnect() {
  if (standby_) standby_->stop();
  if (broker_) broker_->stop();
}

void Daemon::shut_down() {
  const auto drained = dispatcher_->drain(requests_timeout);
  broker_->drain(replies_timeout);
  disconnect();
  const auto left = broker_->state();
  const auto unacknowledged = dispatcher_->snapshot().counts.answered;
  admin::Status status_at_stop;
  activity_->describe(status_at_stop, read_clocks());
  const auto& in_all = status_at_stop.requests;
  // Behind the last line it would look as if something still ran.
  start_.report_suppressed();
  log_.write(Severity::info, "stopped",
             {{"requests_accepted", std::to_string(in_all.accepted)},
              {"requests_rejected", std::to_string(in_all.rejected)},
              {"rejected_at_stop", std::to_string(drained.rejected)},
              {"updates_left_in_journal", std::to_string(drained.left_to_journal)},
              {"replies_left", std::to_string(left.waiting + left.unacknowledged)},
              {"replies_kept_in_journal", std::to_string(unacknowledged)}});
}

}  // namespace

int run_daemon(const Start& start, Log& log) {
  Daemon daemon(start, log);
  if (!daemon.start_up()) return 1;
  daemon.serve();
  daemon.shut_down();
  return 0;
}

}  // namespace jobs_bridge
