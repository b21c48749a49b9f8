#include "adapters/daemon/endpoint_access.h"

#include <chrono>
#include <random>
#include <utility>
#include <vector>

#include "adapters/aws/container_source.h"
#include "adapters/aws/environment_source.h"
#include "adapters/aws/instance_source.h"
#include "adapters/aws/iot_source.h"
#include "adapters/aws/profile_source.h"
#include "adapters/aws/source_chain.h"
#include "adapters/config/no_proxy.h"
#include "adapters/config/secret.h"
#include "adapters/https/https_endpoint.h"

namespace jobs_bridge {
namespace {

using config::CredentialSource;
using SourcePointer = std::unique_ptr<aws::CredentialSource>;
using https::EndpointSettings;

std::int64_t wall_clock() {
  using std::chrono::system_clock;
  return system_clock::to_time_t(system_clock::now());
}

/// The proxy, for a host that is reached through it.
Result<https::ProxySettings, std::string> proxy_to(
    const std::string& host, const config::Configuration::Endpoint& endpoint) {
  https::ProxySettings proxy;
  if (!endpoint.proxy || config::is_exempt(host, endpoint.no_proxy)) return proxy;
  proxy.host = endpoint.proxy->host;
  proxy.port = endpoint.proxy->port;
  proxy.username = endpoint.proxy->username;
  if (!endpoint.proxy_password_file.empty()) {
    auto password = config::read_secret(endpoint.proxy_password_file);
    if (!password) return Failure{password.error()};
    proxy.password = *std::move(password);
  }
  return proxy;
}

EndpointSettings settings_of(const config::Configuration::Endpoint& endpoint) {
  using Scheme = EndpointSettings::Scheme;
  EndpointSettings settings;
  settings.scheme = endpoint.url.scheme == "https" ? Scheme::https : Scheme::http;
  settings.host = endpoint.url.host;
  settings.port = endpoint.url.port;
  settings.connect_timeout = endpoint.connect_timeout;
  settings.answer_timeout = endpoint.answer_timeout;
  settings.ca_file = endpoint.ca_file;
  settings.certificate_file = endpoint.certificate_file;
  settings.private_key_file = endpoint.private_key_file;
  return settings;
}

/// For what credential sources ask.
OpenOrigin origin_opener(const config::Configuration::Endpoint& endpoint, Log& log) {
  return [endpoint, &log](const Origin& origin) -> Result<std::unique_ptr<Endpoint>, std::string> {
    constexpr std::size_t largest_document = 64 * 1024;
    EndpointSettings settings;
    settings.scheme = origin.tls ? EndpointSettings::Scheme::https : EndpointSettings::Scheme::http;
    settings.host = origin.host;
    settings.port = origin.port;
    settings.connect_timeout = origin.connect_timeout;
    settings.answer_timeout = origin.answer_timeout;
    settings.ca_file = origin.ca_file;
    settings.certificate_file = origin.certificate_file;
    settings.private_key_file = origin.private_key_file;
    settings.max_answer_bytes = largest_document;
    if (origin.through_proxy) {
      auto proxy = proxy_to(origin.host, endpoint);
      if (!proxy) return Failure{proxy.error()};
      settings.proxy = *std::move(proxy);
    }
    return https::open_endpoint(std::move(settings), log);
  };
}

SourcePointer iot_source(const config::Configuration& configuration, const OpenOrigin& open) {
  const auto& credentials = configuration.credentials;
  aws::IotSource::Settings settings;
  settings.provider = {.tls = true,
                       .host = credentials.iot_endpoint->host,
                       .port = credentials.iot_endpoint->port,
                       .ca_file = credentials.iot_ca_file,
                       .certificate_file = credentials.iot_certificate_file,
                       .private_key_file = credentials.iot_private_key_file,
                       .through_proxy = true,
                       .connect_timeout = configuration.endpoint.connect_timeout,
                       .answer_timeout = configuration.endpoint.answer_timeout};
  settings.role_alias = credentials.iot_role_alias;
  settings.thing_name = credentials.iot_thing_name;
  return std::make_unique<aws::IotSource>(std::move(settings), open, wall_clock);
}

SourcePointer make_source(CredentialSource kind, const config::Configuration& configuration,
                          const OpenOrigin& open) {
  const auto& credentials = configuration.credentials;
  const aws::Environment environment = aws::process_environment;
  switch (kind) {
    case CredentialSource::environment:
      return std::make_unique<aws::EnvironmentSource>(environment);
    case CredentialSource::profile:
      return std::make_unique<aws::ProfileSource>(credentials.profile, credentials.credentials_file,
                                                  environment);
    case CredentialSource::iot:
      return iot_source(configuration, open);
    case CredentialSource::container:
      return std::make_unique<aws::ContainerSource>(environment, open, wall_clock);
    case CredentialSource::instance:
      return std::make_unique<aws::InstanceSource>(environment, open, wall_clock);
    case CredentialSource::none:
    case CredentialSource::standard:
      break;
  }
  // The order of the AWS SDKs, with AWS IoT where a gateway has been given it.
  std::vector<CredentialSource> order = {CredentialSource::environment, CredentialSource::profile};
  if (credentials.iot_endpoint) order.push_back(CredentialSource::iot);
  order.insert(order.end(), {CredentialSource::container, CredentialSource::instance});
  std::vector<SourcePointer> sources;
  for (const auto part : order) sources.push_back(make_source(part, configuration, open));
  return std::make_unique<aws::SourceChain>(std::move(sources));
}

}  // namespace

Result<std::unique_ptr<EndpointAccess>, std::string> EndpointAccess::open(
    const config::Configuration& configuration, Log& log) {
  const auto& endpoint = configuration.endpoint;
  auto settings = settings_of(endpoint);
  auto proxy = proxy_to(settings.host, endpoint);
  if (!proxy) return Failure{proxy.error()};
  settings.proxy = *std::move(proxy);
  const auto host = https::host_header(settings);
  auto https = https::open_endpoint(std::move(settings), log);
  if (!https) return Failure{https.error()};

  std::unique_ptr<EndpointAccess> access(new EndpointAccess());
  access->https_ = std::move(https).value();
  const auto source = configuration.credentials.source;
  if (source == CredentialSource::none) return access;
  access->clock_ = std::make_unique<aws::SigningClock>(wall_clock, log);
  access->keeper_ = std::make_unique<aws::CredentialKeeper>(
      make_source(source, configuration, origin_opener(endpoint, log)), std::random_device()(),
      log);
  access->signing_ = std::make_unique<aws::SigningEndpoint>(
      *access->https_, aws::SigningEndpoint::Settings{.region = endpoint.region, .host = host},
      *access->keeper_, *access->clock_);
  return access;
}

Endpoint& EndpointAccess::endpoint() {
  if (signing_) return *signing_;
  return *https_;
}

}  // namespace jobs_bridge
