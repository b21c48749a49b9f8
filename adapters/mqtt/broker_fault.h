#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/tls/handshake.h"

namespace jobs_bridge::mqtt {

/// Why there is no connection to the broker, or why it does not do all that it should. Created
/// where the cause is known; the texts for the operator are derived from the kind.
struct BrokerFault {
  enum class Kind : std::uint8_t {
    // On the way to a connection.
    interrupted,    ///< we are stopping; not reported
    library,        ///< the MQTT library failed
    unresolved,     ///< the host has no address
    unreachable,    ///< no TCP connection
    file,           ///< a TLS file of ours is unreadable or invalid
    key_encrypted,  ///< our private key is encrypted
    certificate_untrusted,
    certificate_name,
    certificate_date,
    certificate_invalid,
    client_certificate_missing,
    client_certificate_refused,
    tls_version,
    tls,         ///< the handshake failed otherwise
    plain_port,  ///< TLS to a port that speaks plain MQTT
    tls_port,    ///< the reverse
    not_mqtt,    ///< another protocol answers there
    no_answer,   ///< to CONNECT
    closed,      ///< before it answered CONNECT
    protocol,    ///< it speaks another version of MQTT
    // The broker's own reason, in CONNACK.
    client_id,
    credentials,
    not_authorized,
    unavailable,
    other_server,
    refused,  ///< for another reason
    // What the broker does not support, according to its CONNACK and SUBACKs.
    no_wildcards,
    no_shared_subscriptions,
    subscription_refused,
    qos_0_only,
    session_expiry,  ///< shorter than asked
    // The end of a connection.
    no_suback,
    taken_over,
    too_large,       ///< a packet that it sent
    malformed,       ///< what it sent
    silent,          ///< it does not answer at all
    not_delivering,  ///< it answers, but no message comes back
    unsubscribed,    ///< it has lost our subscription
    disconnected,    ///< by its DISCONNECT, for another reason
    broken,          ///< closed without a reason
    flapping,        ///< the same, right after connecting
  };
  Kind kind = Kind::broken;
  std::string detail = {};  ///< further facts: names, numbers, texts of the broker or a library
  bool operator==(const BrokerFault&) const = default;
};
inline constexpr std::size_t broker_fault_kinds = 41;

/// A word of [a-z0-9_], for programs.
std::string_view to_string(BrokerFault::Kind kind);

/// What is wrong, as a sentence without a full stop, including the detail.
std::string text_of(const BrokerFault& fault);

/// What the operator can do about it.
std::string_view hint_of(BrokerFault::Kind kind);

/// What a broker sends in addition to a reason code. Untrusted text.
struct BrokerWords {
  std::string reason_string;
  std::string server_reference;
};

/// The fault for a CONNACK that refuses, by its code, which is below 128 in MQTT 3.1.1 and from 128
/// on in MQTT 5.
BrokerFault fault_of_connack(int code, const BrokerWords& words = {});

/// Describes a CONNACK that is malformed by such a limit: nothing could ever be sent (MQTT 5,
/// sections 3.2.2.3.3 and 3.2.2.3.6).
std::string zero_in_connack(bool receive_maximum);

/// The fault for a DISCONNECT.
BrokerFault fault_of_disconnect(int reason, const BrokerWords& words = {});

/// The fault for a SUBACK that refuses this filter.
BrokerFault fault_of_suback(const std::string& filter, int code, const BrokerWords& words = {});

BrokerFault fault_of(tls::HandshakeFault fault);

/// The broker received our CONNECT and did not answer.
BrokerFault no_answer_within(std::chrono::seconds limit);

}  // namespace jobs_bridge::mqtt
