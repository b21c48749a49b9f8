#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/config/url.h"
#include "bridge/flow/partition.h"
#include "bridge/ports/endpoint.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/log.h"

namespace jobs_bridge::config {

enum class MqttProtocol { v5, v3_1_1 };
enum class MqttLibrary { paho, mosquitto };
enum class CredentialSource {
  none,
  standard,
  environment,
  profile,
  web_identity,
  iot,
  container,
  instance
};
enum class LogFormat { text, json };

/// Everything that an operator can set, validated: one struct for each section, one member for each
/// key. What a key means, its default and its range are in keys.cpp and nowhere else, so a
/// default-constructed Configuration is empty; load() in load.h fills it. File names are as given:
/// relative ones start from the working directory.
struct Configuration {
  struct Broker {
    std::vector<Url> urls;  ///< at least one
    std::string client_id;
    MqttProtocol protocol = MqttProtocol::v5;
    MqttLibrary library = MqttLibrary::paho;  ///< one that this build has
    std::string username;                     ///< empty: none
    std::string password_file;                ///< read it with read_secret(); empty: none
    std::string ca_file;
    std::string certificate_file;
    std::string private_key_file;
    std::chrono::milliseconds session_expiry{};  ///< whole seconds
    std::chrono::milliseconds keep_alive{};      ///< whole seconds
    std::string canary_topic;                    ///< with {client_id} replaced; empty: none
    std::string share_group;                     ///< empty: no shared subscription
    Partition partition;
    bool standby = false;
    std::chrono::milliseconds lease{};  ///< 0: there is none
    bool allow_plaintext = false;
  };
  struct Topics {
    std::string base;  ///< accepted by TopicGrammar::from_base
  };
  struct Endpoint {
    Url url;             ///< with the region in it
    std::string region;  ///< not empty where requests are signed
    bool fips = false;
    bool dualstack = false;
    std::uint64_t connections = 0;
    std::chrono::milliseconds connect_timeout{};
    std::chrono::milliseconds answer_timeout{};
    std::string ca_file;
    std::string certificate_file;
    std::string private_key_file;
    std::optional<Url> proxy;
    std::string proxy_password_file;    ///< read it with read_secret(); empty: none
    std::vector<std::string> no_proxy;  ///< see is_exempt()
    bool allow_plaintext = false;
  };
  struct Credentials {
    CredentialSource source = CredentialSource::none;
    std::string profile;
    std::string credentials_file;
    std::optional<Url> iot_endpoint;
    std::string iot_role_alias;
    std::string iot_thing_name;
    /// For the credential provider; those of the endpoint if none were given.
    std::string iot_ca_file;
    std::string iot_certificate_file;
    std::string iot_private_key_file;
  };
  struct Limits {
    std::chrono::milliseconds deadline{};
    std::uint64_t reads_per_second = 0;   ///< 0: no limit
    std::uint64_t writes_per_second = 0;  ///< 0: no limit
    std::uint64_t queue = 0;
    std::uint64_t queue_per_thing = 0;
    std::uint64_t max_payload = 0;  ///< bytes
  };
  struct Journal {
    std::string path;            ///< empty: no journal
    std::uint64_t max_size = 0;  ///< bytes
    std::uint64_t max_per_thing = 0;
    std::chrono::milliseconds max_age{};
  };
  struct Notify {
    bool enabled = false;
    std::chrono::milliseconds interval{};
    std::chrono::milliseconds idle_interval{};
    double quota_share = 0;  ///< above 0, at most 1
    std::chrono::milliseconds watch_for{};
    std::vector<std::string> things;  ///< each accepted by ThingName::parse, none of them twice
    std::uint64_t max_things = 0;     ///< not less than there are `things`, if enabled
    std::vector<std::string> repeat_replies;  ///< each accepted by ThingList::is_valid
    std::string path;                         ///< empty: in memory only
  };
  struct Admin {
    std::optional<ListenAddress> listen;  ///< absent: off
    std::string token_file;               ///< read it with read_secret(); empty: none
  };
  struct Log {
    Severity level = Severity::info;
    LogFormat format = LogFormat::text;
  };

  Broker broker;
  Topics topics;
  Endpoint endpoint;
  Credentials credentials;
  Limits limits;
  Journal journal;
  Notify notify;
  Admin admin;
  Log log;
};

}  // namespace jobs_bridge::config
