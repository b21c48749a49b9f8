#include "adapters/daemon/daemon.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/config/secret.h"
#include "adapters/daemon/dispatcher.h"
#include "adapters/daemon/endpoint_access.h"
#include "adapters/daemon/signals.h"
#include "adapters/journal/sqlite_journal.h"
#include "adapters/mqtt/broker_connection.h"
#include "adapters/watch/sqlite_watch_store.h"
#include "bridge/flow/engine.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// SIGTERM to exit takes 5 s at most: for requests in progress, then for the broker to acknowledge
/// their replies; the rest is for taking down connections.
constexpr Duration patience_for_requests = 2200ms;
constexpr Duration patience_for_replies = 1s;
constexpr Duration patience_for_store = 500ms;

Now read_clocks() {
  using std::chrono::system_clock;
  return {.monotonic = std::chrono::steady_clock::now(),
          .unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(
                              system_clock::now().time_since_epoch())
                              .count()};
}

TopicGrammar topics_of(const config::Configuration& configuration) {
  return *TopicGrammar::from_base(configuration.topics.base);  // checked when it was loaded
}

NotifierSettings notifier_settings(const config::Configuration& configuration) {
  const auto& notify = configuration.notify;
  const auto connections = configuration.endpoint.connections;
  return {.enabled = notify.enabled,
          .interval = notify.interval,
          .calls_per_second =
              static_cast<double>(configuration.limits.reads_per_second) * notify.quota_share,
          // A slow endpoint must leave most connections to the devices.
          .calls_in_flight = std::max<std::size_t>(1, connections / 4),
          .watch_for = notify.watch_for,
          .most_things = notify.max_things,
          .call_deadline = configuration.limits.deadline};
}

EngineSettings engine_settings(const config::Configuration& configuration) {
  return {.deadline = configuration.limits.deadline,
          .queue = configuration.limits.queue,
          .queue_per_thing = configuration.limits.queue_per_thing,
          .max_payload = configuration.limits.max_payload,
          .reads_per_second = static_cast<double>(configuration.limits.reads_per_second),
          .writes_per_second = static_cast<double>(configuration.limits.writes_per_second),
          .partition = configuration.broker.partition,
          .holding = {.durable = !configuration.journal.path.empty(),
                      .max_bytes = configuration.journal.max_size,
                      .max_per_thing = configuration.journal.max_per_thing,
                      .max_age = configuration.journal.max_age},
          .notifier = notifier_settings(configuration),
          .seed = std::random_device()()};
}

/// The broker's topic of messages to ourselves, of this instance alone.
std::string canary_topic(const config::Configuration::Broker& broker) {
  constexpr std::string_view placeholder = "{client_id}";
  auto topic = broker.canary_topic;
  const auto at = topic.find(placeholder);
  if (at == std::string::npos) return topic;
  auto client = broker.client_id;
  std::ranges::replace_if(
      client, [](char c) { return c == '+' || c == '#' || c == '/'; }, '_');
  return topic.replace(at, placeholder.size(), client);
}

Result<mqtt::BrokerSettings, std::string> broker_settings(
    const config::Configuration& configuration) {
  using Protocol = mqtt::BrokerSettings::Protocol;
  const auto& broker = configuration.broker;
  mqtt::BrokerSettings settings;
  settings.host = broker.url.host;
  settings.port = broker.url.port;
  settings.tls = broker.url.scheme == "mqtts";
  settings.protocol = broker.protocol == config::MqttProtocol::v5 ? Protocol::v5 : Protocol::v3_1_1;
  settings.client_id = broker.client_id;
  settings.canary_topic = canary_topic(broker);
  settings.username = broker.username;
  settings.ca_file = broker.ca_file;
  settings.certificate_file = broker.certificate_file;
  settings.private_key_file = broker.private_key_file;
  settings.session_expiry = std::chrono::duration_cast<std::chrono::seconds>(broker.session_expiry);
  settings.keep_alive = std::chrono::duration_cast<std::chrono::seconds>(broker.keep_alive);
  if (!broker.password_file.empty()) {
    auto password = config::read_secret(broker.password_file);
    if (!password) return Failure{password.error()};
    settings.password = *std::move(password);
  }
  return settings;
}

/// Nothing to keep things in is no fault: notifications then start anew after a restart.
using MaybeStore = std::unique_ptr<watch::SqliteWatchStore>;
Result<MaybeStore, std::string> open_watch_store(const config::Configuration::Notify& notify,
                                                 Log& log) {
  if (!notify.enabled) return MaybeStore();
  if (notify.path.empty()) {
    log.write(
        Severity::info,
        "what devices were notified of is held in memory only: a job that is queued while the "
        "bridge is away is not announced",
        {{"cure", "set notify.path"}});
    return MaybeStore();
  }
  return watch::SqliteWatchStore::open(notify.path, log, {.closing = patience_for_store});
}

void watch_things(Engine& engine, const config::Configuration::Notify& notify,
                  watch::SqliteWatchStore* store) {
  if (!notify.enabled) return;
  const auto now = read_clocks();
  for (const auto& thing : notify.things) engine.always_watch(now, *ThingName::parse(thing));
  if (store == nullptr) return;
  for (const auto& thing : store->take_loaded()) engine.remember(now, thing);
}

using MaybeJournal = std::unique_ptr<journal::SqliteJournal>;
Result<MaybeJournal, std::string> open_journal(const config::Configuration::Journal& journal,
                                               Log& log) {
  if (journal.path.empty()) {
    log.write(Severity::info,
              "updates are held in memory only: those that wait for the endpoint are lost if the "
              "bridge ends",
              {{"cure", "set journal.path"}});
    return MaybeJournal();
  }
  return journal::SqliteJournal::open(
      journal.path, log, {.max_size = journal.max_size, .closing = patience_for_store});
}

void take_over(Engine& engine, journal::SqliteJournal& journal, Log& log) {
  const auto now = read_clocks();
  std::size_t taken = 0;
  std::size_t strange = 0;
  for (const auto& entry : journal.take_loaded()) {
    if (engine.restore(now, entry)) {
      ++taken;
      continue;
    }
    ++strange;
    log.write(Severity::error,
              "an update in the journal is not for this configuration: it stays there",
              {{"topic", entry.message.topic}});
  }
  if (taken + strange == 0) return;
  log.write(Severity::info, "updates were taken over from the journal",
            {{"updates", std::to_string(taken)}, {"left", std::to_string(strange)}});
}

void wait_for_the_end(Log& log) {
  while (true) {
    const int signal = wait_for_signal();
    if (signal != SIGHUP) {
      log.write(Severity::info, "stopping", {{"signal", signal == SIGTERM ? "TERM" : "INT"}});
      return;
    }
    log.write(Severity::warning,
              "SIGHUP: nothing can be reloaded in this version; restart to read the configuration");
  }
}

}  // namespace

int run_daemon(const config::Configuration& configuration, Log& log) {
  auto broker_is = broker_settings(configuration);
  if (!broker_is) {
    log.write(Severity::error, "cannot start", {{"cause", broker_is.error()}});
    return 1;
  }
  const auto endpoint = EndpointAccess::open(configuration, log);
  if (!endpoint) {
    log.write(Severity::error, "cannot start", {{"cause", endpoint.error()}});
    return 1;
  }

  auto watch_store = open_watch_store(configuration.notify, log);
  if (!watch_store) {
    log.write(Severity::error, "cannot start", {{"cause", watch_store.error()}});
    return 1;
  }

  auto journal = open_journal(configuration.journal, log);
  if (!journal) {
    log.write(Severity::error, "cannot start", {{"cause", journal.error()}});
    return 1;
  }

  // The broker's messages go to the dispatcher and the dispatcher's replies to the broker, so one
  // of them must be told of the other after it is made; messages come only once it is started.
  std::optional<Dispatcher> dispatcher;
  const auto topics = topics_of(configuration);
  mqtt::BrokerConnection broker(
      *std::move(broker_is), topics.filters(configuration.broker.share_group),
      [&dispatcher](Message message) { dispatcher->receive(std::move(message)); }, log);
  Engine engine(engine_settings(configuration), topics);
  if (*journal) take_over(engine, **journal, log);
  watch_things(engine, configuration.notify, watch_store->get());
  dispatcher.emplace(std::move(engine), configuration.endpoint.connections, (*endpoint)->endpoint(),
                     broker,
                     Dispatcher::Stores{.journal = journal->get(), .watched = watch_store->get()},
                     log, read_clocks);
  broker.start();

  wait_for_the_end(log);

  const auto drained = dispatcher->drain(patience_for_requests);
  const bool acknowledged = broker.drain(patience_for_replies);
  broker.stop();
  log.write(Severity::info, "stopped",
            {{"requests_rejected", std::to_string(drained.abandoned)},
             {"updates_left_to_journal", std::to_string(drained.left_to_journal)},
             {"replies_acknowledged", acknowledged ? "all" : "not all"}});
  return 0;
}

}  // namespace jobs_bridge
