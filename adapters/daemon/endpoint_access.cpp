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
#include "adapters/aws/service_url.h"
#include "adapters/aws/source_chain.h"
#include "adapters/aws/sts.h"
#include "adapters/aws/web_identity_source.h"
#include "adapters/config/no_proxy.h"
#include "adapters/config/region.h"
#include "adapters/config/secret.h"
#include "adapters/https/https_endpoint.h"
#include "adapters/net/address.h"

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
  EndpointSettings settings;
  settings.tls = endpoint.url.scheme == "https";
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
    constexpr std::size_t max_document = 64 * 1024;
    EndpointSettings settings(origin);
    settings.max_answer_bytes = max_document;
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

/// AWS STS, or what AWS_ENDPOINT_URL_STS says in its place.
Result<aws::Sts::Settings, std::string> sts_settings(const config::Configuration& configuration) {
  const auto& endpoint = configuration.endpoint;
  aws::Sts::Settings settings;
  settings.region = endpoint.region;
  settings.service.host = config::sts_host(endpoint.region);
  if (const auto given = aws::process_environment("AWS_ENDPOINT_URL_STS")) {
    const auto url = aws::read_service_url(*given);
    if (!url || url->target != "/") {
      return Failure{std::string("AWS_ENDPOINT_URL_STS is not of the form https://host[:port]")};
    }
    if (!url->origin.tls && !config::is_loopback(url->origin.host)) {
      return Failure{std::string("AWS_ENDPOINT_URL_STS is plain http:// to another host")};
    }
    settings.service = url->origin;
  }
  settings.service.ca_file = endpoint.ca_file;
  settings.service.through_proxy = true;
  settings.service.connect_timeout = endpoint.connect_timeout;
  settings.service.answer_timeout = endpoint.answer_timeout;
  return settings;
}

/// Makes the sources of a configuration.
class Sources {
 public:
  Sources(const config::Configuration& configuration, OpenOrigin open, aws::Sts::Settings sts)
      : configuration_(configuration), open_(std::move(open)), sts_(std::move(sts)) {}

  [[nodiscard]] SourcePointer of(CredentialSource kind) const;

 private:
  using Part = aws::ProfileSource::Part;
  [[nodiscard]] std::unique_ptr<aws::Sts> sts() const {
    return std::make_unique<aws::Sts>(sts_, open_, wall_clock);
  }
  [[nodiscard]] SourcePointer profile(Part part) const {
    const auto& credentials = configuration_.credentials;
    return std::make_unique<aws::ProfileSource>(credentials.profile, credentials.credentials_file,
                                                aws::process_environment, sts(), part);
  }
  [[nodiscard]] SourcePointer chain() const;

  const config::Configuration& configuration_;
  const OpenOrigin open_;
  const aws::Sts::Settings sts_;
};

SourcePointer Sources::of(CredentialSource kind) const {
  const aws::Environment environment = aws::process_environment;
  switch (kind) {
    case CredentialSource::environment:
      return std::make_unique<aws::EnvironmentSource>(environment);
    case CredentialSource::profile:
      return profile(Part::all);
    case CredentialSource::web_identity:
      return std::make_unique<aws::WebIdentitySource>(environment, sts());
    case CredentialSource::iot:
      return iot_source(configuration_, open_);
    case CredentialSource::container:
      return std::make_unique<aws::ContainerSource>(environment, open_, wall_clock);
    case CredentialSource::instance:
      return std::make_unique<aws::InstanceSource>(environment, open_, wall_clock);
    case CredentialSource::none:
    case CredentialSource::standard:
      break;
  }
  return chain();
}

/// In botocore's order, with AWS IoT where a gateway has been given it.
SourcePointer Sources::chain() const {
  std::vector<SourcePointer> sources;
  sources.push_back(of(CredentialSource::environment));
  sources.push_back(profile(Part::role));
  sources.push_back(of(CredentialSource::web_identity));
  sources.push_back(profile(Part::rest));
  if (configuration_.credentials.iot_endpoint) sources.push_back(of(CredentialSource::iot));
  sources.push_back(of(CredentialSource::container));
  sources.push_back(of(CredentialSource::instance));
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
  const auto host = net::host_header(settings.host, settings.port, settings.tls);
  auto https = https::open_endpoint(std::move(settings), log);
  if (!https) return Failure{https.error()};

  std::unique_ptr<EndpointAccess> access(new EndpointAccess());
  access->https_ = std::move(https).value();
  const auto source = configuration.credentials.source;
  if (source == CredentialSource::none) return access;
  auto sts = sts_settings(configuration);
  if (!sts) return Failure{sts.error()};
  const Sources sources(configuration, origin_opener(endpoint, log), *std::move(sts));
  access->clock_ = std::make_unique<aws::SigningClock>(wall_clock, log);
  access->keeper_ =
      std::make_unique<aws::CredentialKeeper>(sources.of(source), std::random_device()(), log);
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
