#include "adapters/config/keys.h"

#include <algorithm>

#include "adapters/config/rules.h"
#include "adapters/config/value_types.h"
#include "bridge/jobs/names.h"
#include "bridge/jobs/thing_list.h"
#include "bridge/text/ascii.h"

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
      "The MQTT broker that the devices connect to.",
      {
          {"url", "mqtt://127.0.0.1:1883", urls(at(&Broker::urls), "mqtt", "mqtts"),
           "The broker's address; mqtts:// for TLS. If it is a list, such as the nodes of a "
           "cluster, the next address is tried when one cannot be reached or its connection ends."},
          {"client_id", "jobs-bridge",
           host_specific(text(at(&Broker::client_id), "1 to 128 bytes", is_client_id)),
           "The bridge's MQTT client identifier; two connections with the same one disconnect each "
           "other. Here, in partition and in file names, {hostname} stands for this host's name "
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
           "The version of MQTT between the bridge and the broker; devices may use the other one."},
          {"library", "paho",
           choice<MqttLibrary>(at(&Broker::library),
                               {{"paho", MqttLibrary::paho}, {"mosquitto", MqttLibrary::mosquitto}},
                               {{"libmosquitto", MqttLibrary::mosquitto}}),
           "The MQTT library: Paho, or libmosquitto, which takes half as much CPU for each "
           "request."},
          {"username", "", text(at(&Broker::username), "at most 1024 bytes", is_username),
           "The user name to send to the broker; empty: none is sent."},
          {"password_file", "", file(at(&Broker::password_file), FileUse::read_secret),
           "A file that holds the password; empty: none is sent."},
          {"ca_file", "", file(at(&Broker::ca_file)),
           "The certificate authorities to trust for mqtts://, in PEM; empty: those of the "
           "system."},
          {"certificate_file", "", file(at(&Broker::certificate_file)),
           "The client certificate to present to the broker, in PEM; empty: none."},
          {"private_key_file", "", file(at(&Broker::private_key_file), FileUse::read_secret),
           "The certificate's private key, in PEM."},
          {"session_expiry", "1h", duration(at(&Broker::session_expiry), "1s", "365d", "1s"),
           "How long the broker keeps requests while the bridge is not connected."},
          {"keep_alive", "15s", duration(at(&Broker::keep_alive), "1s", "1h", "1s"),
           "The MQTT keep-alive. A silently dead connection is noticed within one and a half times "
           "this."},
          {"canary_topic", "jobs-bridge/canary/{client_id}",
           text(at(&Broker::canary_topic),
                "empty, or a topic of at most 256 bytes without '+' or '#' and without '$' at its "
                "beginning",
                is_canary_topic),
           "The topic on which the bridge sends canary messages to itself, to check that messages "
           "flow; the broker must let it publish and subscribe there. Empty: no canary messages, "
           "and no self-test of the Jobs topics."},
          {"share_group", "",
           text(at(&Broker::share_group), "at most 128 bytes without '/', '+' and '#'",
                is_share_group),
           "If set, the bridge subscribes as $share/<group>/..., and the broker distributes the "
           "requests over the group."},
          {"partition", "1/1", partition(at(&Broker::partition)),
           "\"2/3\": this instance serves the second third of all things, by hash of the name; "
           "\"1-250/1000\": the first quarter, as a range that can be moved. All instances must "
           "have the same n. \"{ordinal}/3\": ordinal 0 serves the first third. Of a list, each "
           "instance takes the element at its host's ordinal, counted from 0."},
          {"standby", "false", boolean(at(&Broker::standby)),
           "Whether this instance is the standby of another one with the same client_id and "
           "partition: it takes over once it has heard nothing of the other for half a lease."},
          {"lease", "0s", duration(at(&Broker::lease), "0s", "1h", "1s"),
           "How long an instance makes no calls after it has connected, so that those of its "
           "predecessor have ended: at least twice keep_alive, and the same for an instance and "
           "its standby. 0s: there is no standby."},
          {"allow_plaintext", "false", boolean(at(&Broker::allow_plaintext)),
           "Whether credentials may be sent over mqtt:// to another host."},
      }};
}

Section topics_section() {
  const auto at = members_of(&Configuration::topics);
  return {"topics",
          "The MQTT topics of Jobs.",
          {
              {"base", "$aws/things/{thing}/jobs", topic_base(at(&Configuration::Topics::base)),
               "The beginning of every topic."},
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
           "The endpoint's address; {region} stands for the value of region. The default depends "
           "on region, fips and dualstack, and has port 8443 if a certificate takes the place of "
           "signatures."},
          {"region", "",
           text(at(&Endpoint::region),
                "at most 32 characters from a-z, 0-9 and '-', such as \"eu-central-1\"", is_region),
           "The AWS region, such as eu-central-1; required if requests are signed, unless url is "
           "an AWS name that contains it."},
          {"fips", "false", boolean(at(&Endpoint::fips)),
           "Whether the default url is the FIPS endpoint's."},
          {"dualstack", "false", boolean(at(&Endpoint::dualstack)),
           "Whether the default url is the dual-stack endpoint's (IPv6 and IPv4)."},
          {"connections", "32", integer(at(&Endpoint::connections), 1, 4096),
           "Maximum number of calls at the same time."},
          {"connect_timeout", "3s", duration(at(&Endpoint::connect_timeout), "10ms", "5min"),
           "Time limit for name resolution, connecting and the TLS handshake together."},
          {"answer_timeout", "5s", duration(at(&Endpoint::answer_timeout), "10ms", "5min"),
           "Time limit for one attempt, from sending the request to the last byte of the answer."},
          {"ca_file", "", file(at(&Endpoint::ca_file)),
           "The certificate authorities to trust, in PEM; empty: those of the system."},
          {"certificate_file", "", file(at(&Endpoint::certificate_file)),
           "The client certificate for mutual TLS, in PEM; empty: none. It, its key and ca_file "
           "may be replaced while the bridge runs."},
          {"private_key_file", "", file(at(&Endpoint::private_key_file), FileUse::read_secret),
           "The certificate's private key, in PEM."},
          {"proxy", "", proxy(at(&Endpoint::proxy)),
           "An HTTP proxy, used with CONNECT; in its user name %40 stands for '@', %5C for '\\' "
           "and %25 for '%'. Empty: none."},
          {"proxy_password_file", "",
           file(at(&Endpoint::proxy_password_file), FileUse::read_secret),
           "A file that holds the proxy's password; empty: none is sent."},
          {"no_proxy", "",
           list(at(&Endpoint::no_proxy),
                "a host name, an IP address, a domain with its subdomains, or *",
                is_no_proxy_pattern),
           "Hosts that are reached without the proxy."},
          {"allow_plaintext", "false", boolean(at(&Endpoint::allow_plaintext)),
           "Whether url may be http:// to a host other than this one."},
      }};
}

Section credentials_section() {
  using Credentials = Configuration::Credentials;
  using Source = CredentialSource;
  const auto at = members_of(&Configuration::credentials);
  return {
      "credentials",
      "The credentials that requests to AWS are signed with.",
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
           "Where credentials come from. default: the first of these that has any: environment, a "
           "profile's role, web identity, the profile's keys, AWS IoT if iot_endpoint is set, "
           "container, EC2 instance; but none if endpoint.certificate_file is set, because mutual "
           "TLS takes the place of signatures. none: requests are not signed."},
          {"profile", "default",
           text(at(&Credentials::profile), "1 to 128 bytes without ']'", is_profile),
           "The profile in the AWS CLI's files; if it is \"default\", AWS_DEFAULT_PROFILE, or else "
           "AWS_PROFILE, names it."},
          {"credentials_file", "", file(at(&Credentials::credentials_file), FileUse::read_secret),
           "The credentials file; empty: AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials. It "
           "is read again every 10 seconds."},
          {"iot_endpoint", "", https_host(at(&Credentials::iot_endpoint)),
           "The host of the AWS IoT credential provider, for source = \"iot\": what aws iot "
           "describe-endpoint --endpoint-type iot:CredentialProvider prints."},
          {"iot_role_alias", "",
           text(at(&Credentials::iot_role_alias),
                "at most 128 characters from a-z, A-Z, 0-9, '_', '=', ',', '@' and '-'",
                is_role_alias),
           "The role alias to assume, for source = \"iot\"."},
          {"iot_thing_name", "",
           text(at(&Credentials::iot_thing_name), "empty, or " + std::string(ThingName::rule),
                [](const std::string& name) {
                  return name.empty() || ThingName::parse(name).has_value();
                }),
           "The gateway's own thing, for source = \"iot\"; the certificate must be attached to it. "
           "Empty: no thing is named."},
          {"iot_ca_file", "", file(at(&Credentials::iot_ca_file)),
           "The certificate authorities to trust for the credential provider, in PEM; empty: "
           "endpoint.ca_file."},
          {"iot_certificate_file", "", file(at(&Credentials::iot_certificate_file)),
           "The client certificate to present to the credential provider, in PEM; empty: "
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
          "Limits on requests.",
          {
              {"deadline", "8s", duration(at(&Limits::deadline), "10ms", "5min"),
               "Every request is answered within this time, if necessary with a rejection."},
              {"reads_per_second", "200", integer(at(&Limits::reads_per_second), 0, 1'000'000),
               "Maximum number of describe and get requests a second: the account's quota. 0: no "
               "limit."},
              {"writes_per_second", "200", integer(at(&Limits::writes_per_second), 0, 1'000'000),
               "Maximum number of start-next and update requests a second; 0: no limit."},
              {"queue", "10000", integer(at(&Limits::queue), 1, 1'000'000),
               "Maximum number of waiting requests, all things together."},
              {"queue_per_thing", "16", integer(at(&Limits::queue_per_thing), 1, 1'000'000),
               "Maximum number of waiting requests for one thing; at most queue."},
              {"max_payload", "128KiB", size(at(&Limits::max_payload), "1KiB", "16MiB"),
               "Maximum size of a request from a device; a value above 512KiB takes effect after a "
               "restart."},
          }};
}

Section journal_section() {
  using Journal = Configuration::Journal;
  const auto at = members_of(&Configuration::journal);
  return {"journal",
          "Keeps updates across restarts and while the endpoint cannot be reached.",
          {
              {"path", "", file(at(&Journal::path), FileUse::none),
               "The journal's file; empty: updates are held in memory only."},
              {"max_size", "64MiB", size(at(&Journal::max_size), "1MiB", "64GiB"),
               "Maximum size of all updates that wait for the endpoint, with or without a file; "
               "beyond it new ones are rejected."},
              {"max_per_thing", "256", integer(at(&Journal::max_per_thing), 1, 1'000'000),
               "Maximum number of requests that wait for one thing behind an update that is held."},
              {"max_age", "7d", duration(at(&Journal::max_age), "1min", "365d"),
               "An update that could not be delivered for this long is given up and reported."},
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
           "Whether notifications are published. AWS's device code learns of its next job only by "
           "notify-next: without it, a device carries out one job and then no other. Things that "
           "have never asked are not polled for."},
          {"interval", "60s", duration(at(&Notify::interval), "1s", "1d"),
           "The time between two polls for a thing whose device asked for something in the last "
           "hour; it grows where quota_share requires it."},
          {"idle_interval", "15min", duration(at(&Notify::idle_interval), "1s", "1d"),
           "What interval grows to while the device is silent; the same as interval: it does not "
           "grow."},
          {"quota_share", "0.5", share(at(&Notify::quota_share)),
           "Maximum share of limits.reads_per_second that polling takes."},
          {"watch_for", "30d", duration(at(&Notify::watch_for), "1min", "365d"),
           "How long a thing is polled for after its last request."},
          {"things", "",
           list(at(&Notify::things), std::string(ThingName::rule),
                [](const std::string& name) { return ThingName::parse(name).has_value(); }),
           "Things that are always polled for, at interval, whether or not they have ever asked."},
          {"max_things", "100000", integer(at(&Notify::max_things), 1, 1'000'000),
           "Maximum number of things that are polled for."},
          {"repeat_replies", "",
           list(at(&Notify::repeat_replies), std::string(ThingList::rule), ThingList::is_valid),
           "Things, by name or pattern, whose start-next and $next/get replies with an execution "
           "are published on notify-next too, also where enabled is false: for device code that "
           "does not subscribe to replies. Code that listens to both may carry out a job twice."},
          {"path", "", file(at(&Notify::path), FileUse::none),
           "The file that keeps, across restarts, which things are polled for and what their "
           "devices have been told; empty: after a restart a device hears of nothing until it has "
           "asked again."},
      }};
}

Section admin_section() {
  const auto at = members_of(&Configuration::admin);
  return {"admin",
          "Health, metrics and status over HTTP.",
          {
              {"listen", "127.0.0.1:9464", listen_address(at(&Configuration::Admin::listen)),
               "The address to listen on; empty: the listener is off. Any address other than a "
               "loopback one can be reached from other machines and requires token_file."},
              {"token_file", "", file(at(&Configuration::Admin::token_file), FileUse::read_secret),
               "The file with the token that callers must send as \"Authorization: Bearer ...\": "
               "16 characters or more, such as from \"openssl rand -hex 16\"."},
          }};
}

Section log_section() {
  using Log = Configuration::Log;
  const auto at = members_of(&Configuration::log);
  return {
      "log",
      "The log, on standard error.",
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
           "The least severe events that are written. The words warn, err and verbose are taken "
           "as warning, error and debug."},
          {"format", "text",
           choice<LogFormat>(at(&Log::format),
                             {{"text", LogFormat::text}, {"json", LogFormat::json}}),
           "One line for each event: text for people, json for programs."},
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
    c = c == '.' ? '_' : to_upper(c);
  }
  return name;
}

}  // namespace jobs_bridge::config
