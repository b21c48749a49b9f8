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

using MaybeServer = std::unique_ptr<admin::Server>;
Result<MaybeServer, std::string> open_admin(const config::Configuration::Admin& admin,
                                            const StatusSource& source,
                                            const admin::Metrics& metrics, Log& log) {
  if (!admin.listen) return MaybeServer();
  auto settings = admin_settings(admin);
  if (!settings) return Failure{settings.error()};
  return admin::Server::start(
      *std::move(settings), [&source] { return source.take(); }, metrics, log);
}

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

/// Until SIGTERM or SIGINT.
void serve(ServiceManager& manager, const StatusSource& status, ReadyReport& ready, Reload& reload,
           Log& log) {
  const auto pause = between_reports(manager);
  auto reported = std::chrono::steady_clock::now();
  auto memory_returned = reported;
  while (true) {
    const auto signal = wait_for_signal(std::min(pause, between_looks_at_readiness));
    ready.log_if_ready();
    if (signal == SIGHUP) {
      manager.reloading();
      reload();
      manager.ready();
    } else if (signal) {
      log.write(Severity::info, "stopping", {{"signal", *signal == SIGTERM ? "TERM" : "INT"}});
      manager.stopping();
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (manager.listens() && (signal || now - reported >= pause)) {
      report_status(manager, status, log);
      reported = now;
    }
    if (now - memory_returned >= between_returns_of_memory) {
      trim_heap();
      memory_returned = now;
    }
  }
}

/// If there is a standby, or this is one.
std::optional<Dispatcher::PrimaryRole> primary_role_of(
    const config::Configuration::Broker& settings, mqtt::BrokerConnection& broker) {
  if (settings.lease.count() == 0) return std::nullopt;
  const Lease lease(settings.lease, settings.standby);
  broker.set_wanted(lease.wants_primary());
  return Dispatcher::PrimaryRole{
      .lease = lease, .set = [&broker](bool be_primary) { broker.set_wanted(be_primary); }};
}

/// `key`: of the configuration, with which the cause has to do.
int cannot_start(Log& log, std::string_view key, const std::string& cause) {
  log.write(Severity::error, "cannot start",
            {{"key", key},
             {"cause", cause},
             {"hint",
              "correct what the cause names, or the key; \"jobs-bridge check --connect\" tries "
              "everything that the bridge needs"}});
  return 1;
}

}  // namespace

int run_daemon(const Start& start, Log& log) {
  const auto& configuration = *start.loaded.configuration;
  auto broker_is = broker_settings(configuration);
  if (!broker_is) return cannot_start(log, "broker.password_file", broker_is.error());
  const auto endpoint = EndpointAccess::open(configuration, log);
  if (!endpoint) return cannot_start(log, "endpoint", endpoint.error());
  report_what_is_not_kept(configuration, log);
  auto watch_store = open_watch_store(configuration.notify, log);
  if (!watch_store) return cannot_start(log, "notify.path", watch_store.error());
  auto journal = open_journal(configuration.journal, log);
  if (!journal) return cannot_start(log, "journal.path", journal.error());

  fibers::EventLoop loop;
  // The broker's messages go to the dispatcher and the dispatcher's replies to the broker, so one
  // of them must get the other after its construction; messages come only once the connection is
  // started.
  std::optional<Dispatcher> dispatcher;
  const auto topics = topics_of(configuration);
  mqtt::BrokerConnection broker(
      *broker_is, topics.filters(configuration.broker.share_group),
      [&dispatcher](Message message) { dispatcher->receive(std::move(message)); }, loop, log);
  auto settings = engine_settings(configuration);
  settings.seed = std::random_device()();
  Engine engine(settings, topics);
  if (*journal) take_over(engine, **journal, log);
  watch_things(engine, configuration.notify, watch_store->get());

  RequestLog request_log(topics, log);
  admin::Activity activity(topics);
  admin::Metrics metrics;
  dispatcher.emplace(std::move(engine), configuration.endpoint.connections, loop,
                     (*endpoint)->endpoint(), broker,
                     Dispatcher::Stores{.journal = journal->get(), .watched = watch_store->get()},
                     Dispatcher::Observers{&request_log, &activity, &metrics}, log, read_clocks,
                     primary_role_of(configuration.broker, broker));
  StatusSource status(configuration, {.dispatcher = *dispatcher,
                                      .broker = broker,
                                      .endpoint = **endpoint,
                                      .journal = journal->get(),
                                      .activity = activity});
  const auto admin = open_admin(configuration.admin, status, metrics, log);
  if (!admin) return cannot_start(log, "admin", admin.error());
  ReadyReport ready([&status] { return status.take(); }, log);
  broker.report_serving([&ready] { ready.broker_serves(); });
  broker.report_ended_replies([&dispatcher](const std::vector<std::uint64_t>& updates) {
    dispatcher->replies_ended(updates);
  });
  std::optional<Standby> standby;
  if (configuration.broker.lease.count() > 0) {
    standby.emplace(broker, [&dispatcher](const auto& event) { dispatcher->lease_event(event); });
    if (configuration.broker.standby) {
      standby->watch(watch_settings(configuration, *broker_is), broker_is->canary_topic, loop, log);
    }
  }
  broker.start();

  Reload reload(start.loaded, start.load_again,
                {.limits =
                     [&](const config::Configuration& fresh) {
                       // The rest is as it was: it cannot be changed without a restart.
                       auto changed = configuration;
                       changed.limits = fresh.limits;
                       changed.notify.repeat_replies = fresh.notify.repeat_replies;
                       dispatcher->change_limits(engine_settings(changed));
                       status.set_limits(fresh.limits);
                     },
                 .log_level = start.set_log_level,
                 .credentials =
                     [&] {
                       auto* keeper = (*endpoint)->credentials();
                       if (keeper != nullptr) keeper->renew();
                       return keeper != nullptr;
                     }},
                log);
  ServiceManager manager;
  manager.ready();
  serve(manager, status, ready, reload, log);

  const auto drained = dispatcher->drain(requests_timeout);
  broker.drain(replies_timeout);
  if (standby) standby->stop();
  broker.stop();
  const auto left = broker.state();
  const auto unacknowledged = dispatcher->snapshot().counts.answered;
  admin::Status status_at_stop;
  activity.describe(status_at_stop, read_clocks());
  const auto& in_all = status_at_stop.requests;
  // Behind the last line it would look as if something still ran.
  start.report_suppressed();
  log.write(Severity::info, "stopped",
            {{"requests_accepted", std::to_string(in_all.accepted)},
             {"requests_rejected", std::to_string(in_all.rejected)},
             {"rejected_at_stop", std::to_string(drained.rejected)},
             {"updates_left_in_journal", std::to_string(drained.left_to_journal)},
             {"replies_left", std::to_string(left.waiting + left.unacknowledged)},
             {"replies_kept_in_journal", std::to_string(unacknowledged)}});
  return 0;
}

}  // namespace jobs_bridge
