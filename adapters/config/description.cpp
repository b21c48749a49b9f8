#include "adapters/config/description.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "adapters/config/quote.h"

namespace jobs_bridge::config {
namespace {

/// In the largest unit of which it is a whole number: `90s`, `2h`.
std::string text_of(std::chrono::milliseconds duration) {
  constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units = {
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1'000, "s"}}};
  for (const auto& [size, name] : units) {
    if (duration.count() % size == 0) {
      return std::to_string(duration.count() / size).append(name);
    }
  }
  return std::to_string(duration.count()) + "ms";
}

std::string text_of(double number) {
  std::array<char, 64> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), result.ptr};
}

std::string notification(const Configuration& configuration) {
  const auto& notify = configuration.notify;
  if (!notify.enabled) return "off";
  std::string text = "polls every " + text_of(notify.interval);
  if (notify.idle_interval > notify.interval) {
    text += " (" + text_of(notify.idle_interval) + " for silent devices)";
  }
  if (const auto reads = configuration.limits.reads_per_second; reads > 0) {
    text += " with at most " + text_of(notify.quota_share) + " of " + std::to_string(reads) +
            " reads a second";
  }
  text += " for at most " + std::to_string(notify.max_things) + " things that asked in the last " +
          text_of(notify.watch_for);
  if (!notify.things.empty()) {
    text += ", " + std::to_string(notify.things.size()) + " of them always";
  }
  text += notify.path.empty() ? ", kept in memory only" : ", kept in " + printable(notify.path);
  return text;
}

std::string signing(const Configuration& configuration) {
  switch (configuration.credentials.source) {
    case CredentialSource::none:
      return ", unsigned";
    case CredentialSource::standard:
      return ", signed with credentials from the default sources";
    case CredentialSource::environment:
      return ", signed with credentials from the environment";
    case CredentialSource::profile:
      return ", signed with credentials of profile " + printable(configuration.credentials.profile);
    case CredentialSource::web_identity:
      return ", signed with credentials for a web identity";
    case CredentialSource::iot:
      return ", signed with credentials from AWS IoT";
    case CredentialSource::container:
      return ", signed with credentials from the container's agent";
    case CredentialSource::instance:
      return ", signed with credentials from the instance's metadata";
  }
  return {};
}

}  // namespace

namespace {

std::string describe_broker(const Configuration& configuration) {
  const auto& broker = configuration.broker;
  std::string text;
  for (const auto& url : broker.urls) {
    text += (text.empty() ? "" : " or ") + address_of(url);
  }
  text += " as " + printable(broker.client_id);
  text += broker.protocol == MqttProtocol::v5 ? " (MQTT 5" : " (MQTT 3.1.1";
  if (!broker.username.empty()) text += ", with a username";
  if (!broker.password_file.empty()) text += " and a password";
  if (!broker.certificate_file.empty()) text += ", with a certificate";
  text += "), topics " + printable(configuration.topics.base);
  if (!broker.share_group.empty()) text += ", share group " + printable(broker.share_group);
  if (!broker.partition.serves_all()) text += ", partition " + to_string(broker.partition);
  return text;
}

std::string describe_endpoint(const Configuration& configuration) {
  const auto& endpoint = configuration.endpoint;
  auto text = address_of(endpoint.url);
  if (!endpoint.certificate_file.empty()) text += " with a certificate";
  if (endpoint.proxy) text += " through proxy " + address_of(*endpoint.proxy);
  text += signing(configuration);
  return text + ", at most " + std::to_string(endpoint.connections) + " connections";
}

}  // namespace

Description describe(const Configuration& configuration) {
  const auto& journal = configuration.journal.path;
  return {.broker = describe_broker(configuration),
          .endpoint = describe_endpoint(configuration),
          .journal = journal.empty() ? "off" : printable(journal),
          .notifications = notification(configuration)};
}

}  // namespace jobs_bridge::config
