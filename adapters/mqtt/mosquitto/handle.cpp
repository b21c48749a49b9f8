#include "adapters/mqtt/mosquitto/handle.h"

#include <mqtt_protocol.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>

#include "adapters/files/system_text.h"
#include "adapters/mqtt/mosquitto/properties.h"
#include "adapters/mqtt/mosquitto/system_read.h"
#include "adapters/mqtt/packet_size_guard.h"
#include "adapters/mqtt/tls_context.h"

namespace jobs_bridge::mqtt {
namespace {

using Protocol = BrokerSettings::Protocol;

/// In both directions. What we send is kept below the broker's Receive Maximum by the Outbox:
/// libmosquitto must not meet a limit of its own, where it keeps back what it is given. What we
/// take: without it a broker may drop, after having acknowledged it, what it cannot hand us at once
/// (mosquitto does so past 1,000 messages).
constexpr int no_limit = 65535;
/// What libmosquitto takes, in seconds.
constexpr std::chrono::seconds min_keep_alive{5};

void check(int error, const std::string& what) {
  if (error != MOSQ_ERR_SUCCESS) throw std::runtime_error(what + ": " + text_of_error(error));
}

/// libmosquitto would ask for the address that we connect to.
void ask_for_our_name(const SSL* ssl, int where, int /*value*/) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  const auto* settings =
      static_cast<const BrokerSettings*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
  tls::ask_for_name(const_cast<SSL&>(*ssl),
                    settings->host);  // OpenSSL's signature, not its meaning
}

/// Our own context, because it verifies the host name although we connect to an address, and
/// because connect_diagnosis.h then uses the same one.
std::optional<BrokerFault> use_tls(mosquitto& handle, const BrokerSettings& settings) {
  const auto context = tls_context_of(settings);
  if (!context) return context.error();
  SSL_CTX_set_ex_data(context->get(), 0, const_cast<BrokerSettings*>(&settings));
  SSL_CTX_set_info_callback(context->get(), ask_for_our_name);
  check(mosquitto_int_option(&handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0), "TLS");
  check(mosquitto_void_option(&handle, MOSQ_OPT_SSL_CTX, context->get()), "TLS");
  return std::nullopt;
}

/// libmosquitto has no call that connects with properties and without blocking. The one that blocks
/// keeps the properties before it looks at its other arguments; the other then sends them.
void keep_properties(mosquitto& handle, const BrokerSettings& settings) {
  constexpr const char* no_host = nullptr;
  mosquitto_connect_bind_v5(&handle, no_host, 0, 0, nullptr, properties_of(settings).get());
}

}  // namespace

std::chrono::seconds mosquitto_keep_alive(std::chrono::seconds keep_alive) {
  return std::max(min_keep_alive, keep_alive / 2);
}

Handle make_handle(const BrokerSettings& settings, bool clean, void* user) {
  [[maybe_unused]] static const int once = mosquitto_lib_init();
  errno = 0;
  Handle handle(mosquitto_new(settings.client_id.c_str(),
                              /*clean_session=*/clean || settings.session_expiry.count() <= 0,
                              user));
  if (!handle) {
    throw std::runtime_error("broker.client_id " + settings.client_id + ": " +
                             (errno == ENOMEM ? "out of memory" : "not a valid client id"));
  }
  interpose_system_read();
  bound_reads(settings.max_packet_size);
  // It then leaves all reading and writing to those who call its loop functions: see Loop.
  check(mosquitto_threaded_set(handle.get(), true), "threads");
  check(mosquitto_int_option(
            handle.get(), MOSQ_OPT_PROTOCOL_VERSION,
            settings.protocol == Protocol::v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311),
        "broker.protocol");
  check(mosquitto_int_option(handle.get(), MOSQ_OPT_RECEIVE_MAXIMUM, no_limit), "Receive Maximum");
  check(mosquitto_int_option(handle.get(), MOSQ_OPT_SEND_MAXIMUM, no_limit), "Send Maximum");
  check(mosquitto_int_option(handle.get(), MOSQ_OPT_TCP_NODELAY, 1), "TCP_NODELAY");
  if (!settings.username.empty()) {
    check(
        mosquitto_username_pw_set(handle.get(), settings.username.c_str(),
                                  settings.password.empty() ? nullptr : settings.password.c_str()),
        "broker.username");
  }
  return handle;
}

Result<bool, BrokerFault> begin_to_connect(mosquitto& handle, const BrokerSettings& settings,
                                           const std::string& address) {
  if (settings.tls) {
    if (auto fault = use_tls(handle, settings)) return Failure{*std::move(fault)};
  }
  if (settings.protocol == Protocol::v5) keep_properties(handle, settings);
  const int error = mosquitto_connect_bind_async(
      &handle, address.c_str(), settings.port,
      static_cast<int>(mosquitto_keep_alive(settings.keep_alive).count()), nullptr);
  return error <= 0;
}

std::string text_of_error(int error) {
  return error == MOSQ_ERR_ERRNO && errno != 0 ? files::system_text(errno)
                                               : mosquitto_strerror(error);
}

}  // namespace jobs_bridge::mqtt
