#include "adapters/mqtt/paho/paho_options.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "adapters/net/address.h"

namespace jobs_bridge::mqtt {
namespace {

using Protocol = BrokerSettings::Protocol;

/// More than the Outbox ever lets under way: Paho must not meet a limit of its own.
constexpr int no_limit = 65535;

int version_of(const BrokerSettings& settings) {
  return settings.protocol == Protocol::v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
}

std::int32_t as_property(std::uint64_t value) {
  constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::min(value, most));
}

::mqtt::ssl_options tls_options_of(const BrokerSettings& settings) {
  // Paho asks OpenSSL for any version of TLS; OpenSSL 3 has none below 1.2 at the security level
  // that Paho sets.
  ::mqtt::ssl_options options;
  if (!settings.ca_file.empty()) options.set_trust_store(settings.ca_file);
  if (!settings.certificate_file.empty()) {
    options.set_key_store(settings.certificate_file);
    options.set_private_key(settings.private_key_file);
  }
  options.set_enable_server_cert_auth(true);
  options.set_verify(true);  // the host name: Paho leaves it out otherwise
  return options;
}

}  // namespace

std::chrono::seconds paho_keep_alive(std::chrono::seconds keep_alive) {
  // Paho gives up one and a half times as long after that, and looks at the clock once in 1.1 s.
  // All of it must fit into 1.5 keep-alives.
  return std::max(std::chrono::seconds(1), (keep_alive * 3 - std::chrono::seconds(5)) / 5);
}

std::string url_of(const BrokerSettings& settings, const std::string& address) {
  auto host = settings.tls ? settings.host : address;
  if (host.ends_with('.')) host.pop_back();  // certificates have no such names
  return (settings.tls ? "ssl://" : "tcp://") + net::host_and_port(host, settings.port);
}

::mqtt::create_options create_options_of(const BrokerSettings& settings) {
  return {version_of(settings), no_limit};
}

::mqtt::connect_options connect_options_of(const BrokerSettings& settings, bool clean) {
  ::mqtt::connect_options options;
  options.set_mqtt_version(version_of(settings));
  options.set_connect_timeout(settings.connect_timeout);
  options.set_keep_alive_interval(paho_keep_alive(settings.keep_alive));
  options.set_max_inflight(no_limit);
  if (!settings.username.empty()) {
    options.set_user_name(settings.username);
    options.set_password(settings.password);
  }
  const auto expiry = settings.session_expiry.count();
  if (settings.protocol == Protocol::v5) {
    using code = ::mqtt::property::code;
    options.set_clean_start(clean || expiry <= 0);
    options.set_properties({
        {code::SESSION_EXPIRY_INTERVAL,
         as_property(static_cast<std::uint64_t>(std::max<std::int64_t>(expiry, 0)))},
        // Without it a broker may drop, after having acknowledged it, what it cannot hand us at
        // once: mosquitto does so past 1,000 messages.
        {code::RECEIVE_MAXIMUM, 65535},
        {code::MAXIMUM_PACKET_SIZE, as_property(settings.max_packet_size)},
    });
  } else {
    options.set_clean_session(clean || expiry <= 0);
  }
  if (settings.tls) options.set_ssl(tls_options_of(settings));
  return options;
}

}  // namespace jobs_bridge::mqtt
