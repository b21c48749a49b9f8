#include "adapters/daemon/settings.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

#include "adapters/config/secret.h"
#include "adapters/config/url.h"

namespace jobs_bridge {
namespace {

NotifierSettings notifier_settings(const config::Configuration& configuration) {
  const auto& notify = configuration.notify;
  const auto connections = configuration.endpoint.connections;
  return {.enabled = notify.enabled,
          .interval = notify.interval,
          .idle_interval = notify.idle_interval,
          .calls_per_second =
              static_cast<double>(configuration.limits.reads_per_second) * notify.quota_share,
          // With a slow endpoint most connections must remain for devices' requests.
          .calls_in_flight = std::max<std::size_t>(1, connections / 4),
          .watch_for = notify.watch_for,
          .max_things = notify.max_things,
          .call_deadline = configuration.limits.deadline,
          .repeat_replies = ThingList(notify.repeat_replies)};
}

/// The topic of canaries, used by that client only.
std::string canary_topic(const config::Configuration::Broker& broker, std::string client) {
  constexpr std::string_view placeholder = "{client_id}";
  auto topic = broker.canary_topic;
  const auto at = topic.find(placeholder);
  if (at == std::string::npos) return topic;
  std::ranges::replace_if(
      client, [](char c) { return c == '+' || c == '#' || c == '/'; }, '_');
  return topic.replace(at, placeholder.size(), client);
}

/// The filter that matches every Jobs topic.
std::string every_topic(std::string base) {
  constexpr std::string_view placeholder = "{thing}";
  return base.replace(base.find(placeholder), placeholder.size(), "+") + "/#";
}

}  // namespace

TopicGrammar topics_of(const config::Configuration& configuration) {
  return *TopicGrammar::from_base(configuration.topics.base);  // checked when it was loaded
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
          .failing_alone_calls_in_flight =
              std::max<std::size_t>(1, configuration.endpoint.connections / 2),
          .notifier = notifier_settings(configuration),
          .seed = 0};
}

std::size_t max_packet_size(const config::Configuration::Limits& limits) {
  // A payload somewhat larger than max_payload is received, so that it gets a rejection with the
  // reason.
  return 2 * limits.max_payload + mqtt::BrokerSettings::max_beside_payload;
}

Result<mqtt::BrokerSettings, std::string> broker_settings(
    const config::Configuration& configuration) {
  using Protocol = mqtt::BrokerSettings::Protocol;
  const auto& broker = configuration.broker;
  mqtt::BrokerSettings settings;
  const auto address = [](const config::Url& url) {
    return mqtt::BrokerSettings::Address{url.host, url.port, url.scheme == "mqtts"};
  };
  auto [host, port, tls] = address(broker.urls.front());
  settings.host = std::move(host);
  settings.port = port;
  settings.tls = tls;
  std::transform(broker.urls.begin() + 1, broker.urls.end(),
                 std::back_inserter(settings.more_addresses), address);
  settings.protocol = broker.protocol == config::MqttProtocol::v5 ? Protocol::v5 : Protocol::v3_1_1;
  settings.library =
      broker.library == config::MqttLibrary::paho ? mqtt::Library::paho : mqtt::Library::mosquitto;
  settings.client_id = broker.client_id;
  settings.canary_topic = canary_topic(broker, broker.client_id);
  if (!settings.canary_topic.empty()) {
    const auto topics = topics_of(configuration);
    auto test = topics.self_test(broker.client_id);
    const auto own_level = std::string(topics.thing_level(test.requests.front()));
    settings.test_topics = {
        .requests = std::move(test.requests),
        .replies = std::move(test.replies),
        .reply_filters = std::move(test.reply_filters),
        .reserved = std::move(test.reserved),
        .shared = !broker.share_group.empty(),
        .own_group = broker.share_group.empty() ? std::string() : broker.share_group + own_level,
        .request_filters = topics.filters(),
        .everything = every_topic(configuration.topics.base)};
  }
  settings.optional_filters = topics_of(configuration).namespace_filters(broker.share_group);
  settings.max_packet_size = max_packet_size(configuration.limits);
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

mqtt::BrokerSettings watch_settings(const config::Configuration& configuration,
                                    const mqtt::BrokerSettings& place) {
  auto settings = place;
  settings.client_id += "-standby";
  settings.canary_topic = canary_topic(configuration.broker, settings.client_id);
  settings.test_topics = {};
  settings.optional_filters = {};
  // What it had missed would tell nothing.
  settings.session_expiry = std::chrono::seconds(0);
  return settings;
}

Result<admin::ServerSettings, std::string> admin_settings(
    const config::Configuration::Admin& admin) {
  admin::ServerSettings settings;
  settings.host = admin.listen->host;
  settings.port = admin.listen->port;
  settings.loopback = config::is_loopback(admin.listen->host);
  if (!admin.token_file.empty()) {
    auto token = config::read_secret(admin.token_file);
    if (!token) return Failure{token.error()};
    settings.token = *std::move(token);
  }
  return settings;
}

}  // namespace jobs_bridge
