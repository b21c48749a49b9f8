#include "adapters/config/keys.h"

#include <algorithm>

#include "adapters/config/rules.h"
#include "adapters/config/value_types.h"
#include "bridge/jobs/names.h"
#include "bridge/jobs/thing_list.h"

namespace jobs_bridge::config {
namespace {

/// Makes targets out of the members of one section.
template <typename Part>
auto members_of(Part Configuration::*section) {
  return [section](auto member) {
    using Member = std::remove_reference_t<decltype(std::declval<Part&>().*member)>;
    return Target<Member>([section, member](Configuration& configuration) -> Member& {
      return configuration.*section.*member;
    });
  };
}

Section broker_section() {
  using Broker = Configuration::Broker;
  const auto at = members_of(&Configuration::broker);
  return {
      "broker",
      "The MQTT broker that the devices talk to.",
      {
          {"url", "mqtt://127.0.0.1:1883", urls(at(&Broker::urls), "mqtt", "mqtts"),
           "Where the broker is; mqtts:// for TLS. Of a list, such as the nodes of a cluster, the "
           "next one is tried when one cannot be reached or its connection ends."},
          {"client_id", "jobs-bridge",
           host_specific(text(at(&Broker::client_id), "1 to 128 bytes", is_client_id)),
           "The bridge's name at the broker; two connections with the same one throw each other "
           "out. Here, in partition and in names of files {hostname} stands for this host's name, "
           "and {ordinal} for the number at its end: 3 on jobs-bridge-3."},
          {"protocol", "5",
           choice<MqttProtocol>(at(&Broker::protocol),
                                {{"5", MqttProtocol::v5}, {"3.1.1", MqttProtocol::v3_1_1}},
                                {{"v5", MqttProtocol::v5},
                                 {"5.0", MqttProtocol::v5},
                                 {"mqttv5", MqttProtocol::v5},
                                 {"v3.1.1", MqttProtocol::v3_1_1},
                                 {"311", MqttProtocol::v3_1_1},
                                 {"mqttv311", MqttProtocol::v3_1_1}}),
           "The version of MQTT that is spoken to the broker; devices may use the other one."},
          {"library", "paho",
           choice<MqttLibrary>(at(&Broker::library),
                               {{"paho", MqttLibrary::paho}, {"mosquitto", MqttLibrary::mosquitto}},
                               {{"libmosquitto", MqttLibrary::mosquitto}}),
           "Which library speaks it: Paho, or libmosquitto, which takes half of the CPU for each "
           "request."},
          {"username", "", text(at(&Broker::username), "at most 1024 bytes", is_username),
           "Empty: none is sent."},
          {"password_file", "", file(at(&Broker::password_file), FileUse::read_secret),
           "A file that holds the password; empty: none is sent."},
          {"ca_file", "", file(at(&Broker::ca_file)),
           "The authorities to trust for mqtts://, in PEM; empty: those of the system."},
          {"certificate_file", "", file(at(&Broker::certificate_file)),
           "The certificate to show to the broker, in PEM; empty: none."},
          {"private_key_file", "", file(at(&Broker::private_key_file), FileUse::read_secret),
           "The certificate's private key, in PEM."},
          {"session_expiry", "1h", duration(at(&Broker::session_expiry), "1s", "365d", "1s"),
           "How long the broker keeps requests for a bridge that is away."},
          {"keep_alive", "15s", duration(at(&Broker::keep_alive), "1s", "1h", "1s"),
           "A connection that is dead without a word is noticed after one and a half times this."},
          {"canary_topic", "jobs-bridge/canary/{client_id}",
           text(at(&Broker::canary_topic),
                "empty, or a topic of at most 256 bytes without '+', '#' and '$' at its beginning",
                is_canary_topic),
           "Where the bridge sends messages to itself, to see that messages flow; the broker must "
           "let it publish and subscribe there. Empty: it does not, nor does it test the Jobs "
           "topics."},
          {"share_group", "",
           text(at(&Broker::share_group), "at most 128 bytes without '/', '+' and '#'",
                is_share_group),
           "Not empty: subscribe as $share/<group>/..., so that the broker spreads requests over "
           "the group."},
          {"partition", "1/1", partition(at(&Broker::partition)),
           "\"2/3\": this instance serves the second third of all things, by hash of the name; "
           "\"1-250/1000\": the first quarter, as a range that can be moved. All instances must "
           "have the same n. \"{ordinal}/3\": ordinal 0 has the first third; of a list the element "
           "with the host's ordinal counts, the first for 0."},
          {"standby", "false", boolean(at(&Broker::standby)),
           "Whether this instance stands by for another one with the same client_id and partition, "
           "and takes its place at the broker when nothing is heard of it for half a lease."},
          {"lease", "0s", duration(at(&Broker::lease), "0s", "1h", "1s"),
           "How long an instance makes no calls after it has connected, so that those of its "
           "predecessor are over: twice keep_alive or more, and the same for an instance and its "
           "standby. 0s: there is no standby."},
          {"allow_plaintext", "false", boolean(at(&Broker::allow_plaintext)),
           "Whether credentials may travel over mqtt:// to another host."},
      }};
}

Section topics_section() {
  const auto at = members_of(&Configuration::topics);
  return {"topics",
          "The MQTT topics of Jobs.",
          {
              {"base", "$aws/things/{thing}/jobs", topic_base(at(&Configuration::Topics::base)),
               "What every topic starts with."},
          }};
}

Section endpoint_section() {
  using Endpoint = Configuration::Endpoint;
  const auto at = members_of(&Configuration::endpoint);
  return {
      "endpoint",
      "The AWS IoT Jobs endpoint that carries out the requests.",
      {
          {"url", "https://data.jobs.iot.{region}.amazonaws.com",
           url(at(&Endpoint::url), "http", "https"),
           "Where the endpoint is; {region} stands for the value of region. The default follows "
           "region, fips, dualstack and, with a certificate in place of signatures, port "
           "8443."},
          {"region", "",
           text(at(&Endpoint::region), "at most 32 of a-z, 0-9 and '-', such as \"eu-central-1\"",
                is_region),
           "The AWS region, such as eu-central-1; needed where requests are signed, unless url "
           "is an AWS name that tells it."},
          {"fips", "false", boolean(at(&Endpoint::fips)),
           "Whether the default url is that of the FIPS endpoint."},
          {"dualstack", "false", boolean(at(&Endpoint::dualstack)),
           "Whether the default url is that of the endpoint with IPv6 and IPv4."},
          {"connections", "32", integer(at(&Endpoint::connections), 1, 4096),
           "Most calls at the same time."},
          {"connect_timeout", "3s", duration(at(&Endpoint::connect_timeout), "10ms", "5min"),
           "For looking up the name, connecting and the TLS handshake together."},
          {"answer_timeout", "5s", duration(at(&Endpoint::answer_timeout), "10ms", "5min"),
           "For one attempt, from sending to the last byte of the answer."},
          {"ca_file", "", file(at(&Endpoint::ca_file)),
           "The authorities to trust, in PEM; empty: those of the system."},
          {"certificate_file", "", file(at(&Endpoint::certificate_file)),
           "The certificate for mutual TLS, in PEM; empty: none. Like its key and ca_file it may "
           "be replaced while the bridge runs."},
          {"private_key_file", "", file(at(&Endpoint::private_key_file), FileUse::read_secret),
           "The certificate's private key, in PEM."},
          {"proxy", "", proxy(at(&Endpoint::proxy)),
           "An HTTP proxy to go through with CONNECT; in its user %40 stands for '@', %5C for '\\' "
           "and %25 for '%'. Empty: none."},
          {"proxy_password_file", "",
           file(at(&Endpoint::proxy_password_file), FileUse::read_secret),
           "A file that holds the proxy's password; empty: none is sent."},
          {"no_proxy", "",
           list(at(&Endpoint::no_proxy),
                "a host name, an address, a domain with what is below it, or *",
                is_no_proxy_pattern),
           "Hosts that are asked without the proxy."},
          {"allow_plaintext", "false", boolean(at(&Endpoint::allow_plaintext)),
           "Whether url may be http:// to another host than this one."},
      }};
}

Section credentials_section() {
  using Credentials = Configuration::Credentials;
  using Source = CredentialSource;
  const auto at = members_of(&Configuration::credentials);
  return {
      "credentials",
      "What requests to AWS are signed with.",
      {
          {"source", "default",
           choice<Source>(at(&Credentials::source),
                          {{"none", Source::none},
                           {"default", Source::standard},
                           {"environment", Source::environment},
                           {"profile", Source::profile},
                           {"web-identity", Source::web_identity},
                           {"iot", Source::iot},
                           {"container", Source::container},
                           {"instance", Source::instance}},
                          {{"env", Source::environment},
                           {"web_identity", Source::web_identity},
                           {"ecs", Source::container},
                           {"eks", Source::container},
                           {"ec2", Source::instance}}),
           "Where credentials come from. default: environment, a profile's role, web "
           "identity, profile's keys, AWS IoT if iot_endpoint is set, container, EC2 instance; but "
           "none if endpoint.certificate_file is "
           "set, as mutual TLS takes the place of signatures. none: requests are not signed."},
          {"profile", "default",
           text(at(&Credentials::profile), "1 to 128 bytes without ']'", is_profile),
           "The profile in the files that the AWS CLI has; default gives way to "
           "AWS_DEFAULT_PROFILE, and that to AWS_PROFILE."},
          {"credentials_file", "", file(at(&Credentials::credentials_file), FileUse::read_secret),
           "Empty: AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials. It is read again every "
           "10 seconds."},
          {"iot_endpoint", "", https_host(at(&Credentials::iot_endpoint)),
           "The host of the AWS IoT credential provider, for source = \"iot\": what aws iot "
           "describe-endpoint --endpoint-type iot:CredentialProvider prints."},
          {"iot_role_alias", "",
           text(at(&Credentials::iot_role_alias),
                "at most 128 of a-z, A-Z, 0-9, '_', '=', ',', '@' and '-'", is_role_alias),
           "The role alias to assume, for source = \"iot\"."},
          {"iot_thing_name", "",
           text(at(&Credentials::iot_thing_name), "empty, or " + std::string(ThingName::rule),
                [](const std::string& name) {
                  return name.empty() || ThingName::parse(name).has_value();
                }),
           "The thing that the gateway itself is, for source = \"iot\"; its certificate must be "
           "attached to it. Empty: none is named."},
          {"iot_ca_file", "", file(at(&Credentials::iot_ca_file)),
           "The authorities to trust as the credential provider, in PEM; empty: "
           "endpoint.ca_file."},
          {"iot_certificate_file", "", file(at(&Credentials::iot_certificate_file)),
           "The certificate to show to the credential provider, in PEM; empty: "
           "endpoint.certificate_file."},
          {"iot_private_key_file", "",
           file(at(&Credentials::iot_private_key_file), FileUse::read_secret),
           "The certificate's private key, in PEM."},
      }};
}

Section limits_section() {
  using Limits = Configuration::Limits;
  const auto at = members_of(&Configuration::limits);
  return {"limits",
          "What requests may take.",
          {
              {"deadline", "8s", duration(at(&Limits::deadline), "10ms", "5min"),
               "Every request is answered within this time, if need be with a rejection."},
              {"reads_per_second", "200", integer(at(&Limits::reads_per_second), 0, 1'000'000),
               "Most describe and get requests a second, the account's quota; 0: no limit."},
              {"writes_per_second", "200", integer(at(&Limits::writes_per_second), 0, 1'000'000),
               "Most start-next and update requests a second; 0: no limit."},
              {"queue", "10000", integer(at(&Limits::queue), 1, 1'000'000),
               "Most requests waiting, all things together."},
              {"queue_per_thing", "16", integer(at(&Limits::queue_per_thing), 1, 1'000'000),
               "Most requests waiting for one thing, not more than queue."},
              {"max_payload", "128KiB", size(at(&Limits::max_payload), "1KiB", "16MiB"),
               "Largest request from a device; raised past 512KiB it counts after a restart."},
          }};
}

Section journal_section() {
  using Journal = Configuration::Journal;
  const auto at = members_of(&Configuration::journal);
  return {"journal",
          "Keeps updates over a restart and while the endpoint is away.",
          {
              {"path", "", file(at(&Journal::path), FileUse::none),
               "The journal's file; empty: updates are held in memory only."},
              {"max_size", "64MiB", size(at(&Journal::max_size), "1MiB", "64GiB"),
               "Most that updates which wait for the endpoint take, with or without a file; past "
               "it new ones are rejected."},
              {"max_per_thing", "256", integer(at(&Journal::max_per_thing), 1, 1'000'000),
               "Most requests that wait for one thing behind an update that is held."},
              {"max_age", "7d", duration(at(&Journal::max_age), "1min", "365d"),
               "An update that could not be delivered for so long is given up and reported."},
          }};
}

Section notify_section() {
  using Notify = Configuration::Notify;
  const auto at = members_of(&Configuration::notify);
  return {
      "notify",
      "Polls on behalf of the devices and publishes notify and notify-next.",
      {
          {"enabled", "true", boolean(at(&Notify::enabled)),
           "Whether it does. AWS's device code learns of its next job by notify-next alone: "
           "without it, it does one job and then nothing. Things that never asked are not polled "
           "for."},
          {"interval", "60s", duration(at(&Notify::interval), "1s", "1d"),
           "Between two polls for a thing whose device asked for something in the last hour; "
           "stretched to keep quota_share."},
          {"idle_interval", "15min", duration(at(&Notify::idle_interval), "1s", "1d"),
           "What that grows to while the device is silent; interval: it does not grow."},
          {"quota_share", "0.5", share(at(&Notify::quota_share)),
           "Most that polling takes of limits.reads_per_second."},
          {"watch_for", "30d", duration(at(&Notify::watch_for), "1min", "365d"),
           "How long after its last request a thing is polled for."},
          {"things", "",
           list(at(&Notify::things), std::string(ThingName::rule),
                [](const std::string& name) { return ThingName::parse(name).has_value(); }),
           "Things that are always polled for, at interval, whether they ever asked or not."},
          {"max_things", "100000", integer(at(&Notify::max_things), 1, 1'000'000),
           "Most things that are polled for."},
          {"repeat_replies", "",
           list(at(&Notify::repeat_replies), std::string(ThingList::rule), ThingList::is_valid),
           "Things, by name or pattern, whose start-next and $next/get replies that hold an "
           "execution are published on notify-next as well, whether enabled or not: for device "
           "code that subscribes to no replies. One that listens to both may carry a job out "
           "twice."},
          {"path", "", file(at(&Notify::path), FileUse::none),
           "The file that keeps over a restart which things are polled for and what their "
           "devices were told; empty: after a restart a device hears of nothing until it has "
           "asked again."},
      }};
}

Section admin_section() {
  const auto at = members_of(&Configuration::admin);
  return {"admin",
          "Health, metrics and status over HTTP.",
          {
              {"listen", "127.0.0.1:9464", listen_address(at(&Configuration::Admin::listen)),
               "The address to listen on; empty turns it off. Other machines can reach any but a "
               "loopback one: that asks for token_file."},
              {"token_file", "", file(at(&Configuration::Admin::token_file), FileUse::read_secret),
               "The file with what callers must show as \"Authorization: Bearer ...\": 16 "
               "characters or more, such as from \"openssl rand -hex 16\"."},
          }};
}

Section log_section() {
  using Log = Configuration::Log;
  const auto at = members_of(&Configuration::log);
  return {"log",
          "What is written to standard error.",
          {
              {"level", "info",
               choice<Severity>(at(&Log::level),
                                {{"trace", Severity::trace},
                                 {"debug", Severity::debug},
                                 {"info", Severity::info},
                                 {"warning", Severity::warning},
                                 {"error", Severity::error}},
                                {{"warn", Severity::warning},
                                 {"err", Severity::error},
                                 {"verbose", Severity::debug}}),
               "The least severe events that are written."},
              {"format", "text",
               choice<LogFormat>(at(&Log::format),
                                 {{"text", LogFormat::text}, {"json", LogFormat::json}}),
               "One line for each event, for people or for programs."},
          }};
}

std::vector<Section> make_sections() {
  std::vector<Section> all = {broker_section(),      topics_section(), endpoint_section(),
                              credentials_section(), limits_section(), journal_section(),
                              notify_section(),      admin_section(),  log_section()};
  for (auto& section : all) {
    for (auto& key : section.keys) key.path.append(section.name).append(".").append(key.name);
  }
  return all;
}

}  // namespace

const std::vector<Section>& sections() {
  static const std::vector<Section> all = make_sections();
  return all;
}

const Section* find_section(std::string_view name) {
  const auto& all = sections();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Section& section) { return section.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const Key* find_key(std::string_view section, std::string_view name) {
  const Section* const known = find_section(section);
  if (known == nullptr) return nullptr;
  const auto found = std::find_if(known->keys.begin(), known->keys.end(),
                                  [&](const Key& key) { return key.name == name; });
  return found == known->keys.end() ? nullptr : &*found;
}

const Key* find_key(std::string_view path) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) return nullptr;
  return find_key(path.substr(0, dot), path.substr(dot + 1));
}

std::string environment_name(const Key& key) {
  std::string name = "JOBS_BRIDGE_" + key.path;
  for (char& c : name) {
    if (c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

}  // namespace jobs_bridge::config
