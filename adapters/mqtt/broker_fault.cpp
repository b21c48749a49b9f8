#include "adapters/mqtt/broker_fault.h"

#include <array>
#include <optional>
#include <utility>

#include "adapters/mqtt/reason.h"
#include "adapters/tls/identity.h"

namespace jobs_bridge::mqtt {
namespace {

using Kind = BrokerFault::Kind;

struct Row {
  Kind kind;
  std::string_view word;
  std::string_view text;  ///< empty: the detail says it all
  std::string_view hint;
};

constexpr std::string_view see_log = "see the broker's log";

constexpr std::array<Row, broker_fault_kinds> rows{{
    {Kind::interrupted, "interrupted", "the bridge stopped before it had connected",
     "nothing to do"},
    {Kind::library, "library", "the MQTT library failed", "see the bridge's log"},
    {Kind::unresolved, "unresolved", "cannot resolve the host name",
     "check the host in broker.url, and the DNS"},
    {Kind::unreachable, "unreachable", "no TCP connection",
     "start the broker, or set broker.url to the address where it listens; a firewall may also be "
     "in the way"},
    {Kind::file, "file", "",
     "make sure that this file is in PEM format, and that the bridge's user can read it"},
    {Kind::key_encrypted, "key_encrypted", "", tls::encrypted_key_hint},
    {Kind::certificate_untrusted, "certificate_untrusted",
     "the broker's certificate is not trusted",
     "set broker.ca_file to the certificate of the authority that issued the broker's certificate"},
    {Kind::certificate_name, "certificate_name", "the broker's certificate is for another host",
     "set the host in broker.url to a name in the broker's certificate, or have a certificate "
     "issued for this host"},
    {Kind::certificate_date, "certificate_date",
     "the broker's certificate has expired or is not valid yet",
     "renew the broker's certificate; if its dates are right, correct this machine's clock"},
    {Kind::certificate_invalid, "certificate_invalid", "the broker's certificate is invalid",
     "have a new certificate issued for the broker"},
    {Kind::client_certificate_missing, "client_certificate_missing",
     "the broker requires a client certificate, and none is configured",
     "set broker.certificate_file to a certificate that the broker trusts, and "
     "broker.private_key_file to its key"},
    {Kind::client_certificate_refused, "client_certificate_refused",
     "the broker refuses the bridge's client certificate",
     "set broker.certificate_file to a certificate that is valid now, from an authority that the "
     "broker trusts (in mosquitto: cafile)"},
    {Kind::tls_version, "tls_version", "the broker and the bridge have no TLS version in common",
     "enable TLS 1.2 or later at the broker"},
    {Kind::tls, "tls", "the TLS handshake failed", see_log},
    {Kind::plain_port, "plain_port", "the broker speaks plain MQTT on this port, not TLS",
     "set broker.url to the broker's TLS port, or to mqtt:// for plain MQTT"},
    {Kind::tls_port, "tls_port", "the broker speaks TLS on this port, not plain MQTT",
     "set broker.url to mqtts://, or to the broker's port for plain MQTT"},
    {Kind::not_mqtt, "not_mqtt", "the server there is not an MQTT broker",
     "set broker.url to the address where the broker listens"},
    {Kind::no_answer, "no_answer", "no answer to CONNECT",
     "see the broker's log; if another server listens there, correct broker.url"},
    {Kind::closed, "closed", "the broker closed the connection without answering CONNECT",
     "see the broker's log: it may be starting or stopping, or may have reached its connection "
     "limit"},
    {Kind::protocol, "protocol", "the broker does not speak this version of MQTT",
     "change broker.protocol from \"5\" to \"3.1.1\", or from \"3.1.1\" to \"5\""},
    {Kind::client_id, "client_id", "the broker refuses the client id",
     "change broker.client_id; over MQTT 3.1.1 the cause may also be broker.keep_alive, if the "
     "broker's maximum is shorter"},
    {Kind::credentials, "credentials", "bad user name or password",
     "set broker.username and broker.password_file as in the broker's password file"},
    {Kind::not_authorized, "not_authorized",
     "not authorized: the user name or password is missing or wrong, or this client is not allowed",
     "check broker.username, broker.password_file and broker.client_id against the broker's "
     "password file and ACL"},
    {Kind::unavailable, "unavailable", "the broker says that it is unavailable",
     "see the broker's log; the bridge keeps trying"},
    {Kind::other_server, "other_server", "the broker refers its clients to another server",
     "set broker.url to that server"},
    {Kind::refused, "refused", "the broker refuses the connection", see_log},
    {Kind::no_wildcards, "no_wildcards",
     "the broker does not support wildcard subscriptions, without which no device's request can "
     "arrive",
     "enable them at the broker, or use another broker"},
    {Kind::no_shared_subscriptions, "no_shared_subscriptions",
     "the broker does not support shared subscriptions",
     "leave broker.share_group empty and divide the things by broker.partition, or use another "
     "broker"},
    {Kind::subscription_refused, "subscription_refused", "the broker refuses a subscription",
     "allow the bridge's user to subscribe to it in the broker's ACL"},
    {Kind::qos_0_only, "qos_0_only",
     "the broker offers QoS 0 only: when a connection ends, requests and replies are lost",
     "raise the broker's maximum QoS to 1 or 2 (in mosquitto: max_qos)"},
    {Kind::session_expiry, "session_expiry",
     "the broker keeps the bridge's session for a shorter time than broker.session_expiry: if the "
     "bridge is away for longer, requests are lost",
     "raise the broker's limit, or lower broker.session_expiry to it"},
    {Kind::no_suback, "no_suback", "no answer to SUBSCRIBE", see_log},
    {Kind::taken_over, "taken_over", "another client has connected with the bridge's client id",
     "give each client its own client id: broker.client_id must be unique"},
    {Kind::too_large, "too_large", "the broker sent a packet that is too large",
     "have the broker reject such packets from its clients (in mosquitto: max_packet_size)"},
    {Kind::malformed, "malformed", "the broker sent malformed MQTT",
     "check what listens at broker.url; if it is the broker, try the other value of "
     "broker.protocol"},
    {Kind::silent, "silent", "the broker no longer responds: the connection is dead",
     "check the network to the broker, and whether the broker is overloaded"},
    {Kind::not_delivering, "deaf",  // older than the name; scripts read it
     "the broker responds, but delivers neither the bridge's canary messages nor any others",
     "see the broker's log; if this persists, restart the broker"},
    {Kind::unsubscribed, "unsubscribed", "the broker has lost the bridge's subscription",
     "nothing to do: the bridge subscribes again; if this happens repeatedly, see the broker's "
     "log"},
    {Kind::disconnected, "disconnected", "the broker disconnected the bridge", see_log},
    {Kind::broken, "broken", "the connection broke",
     "see the broker's log, and check the network; the bridge reconnects by itself"},
    {Kind::flapping, "flapping",
     "connections keep breaking soon after they are made: another client may be using the same "
     "client id",
     "give each client its own client id: broker.client_id must be unique"},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].kind != static_cast<Kind>(i) || rows[i].word.empty()) return false;
  }
  return true;
}
static_assert(in_order());

const Row& row_of(Kind kind) {
  return rows.at(static_cast<std::size_t>(kind));
}

/// A reason that CONNACK and DISCONNECT have in common.
std::optional<BrokerFault> fault_of_both(int reason, const BrokerWords& words) {
  if (reason == session_taken_over) {
    return BrokerFault{Kind::taken_over, {}};
  }
  if (reason == use_another_server || reason == server_moved) {
    auto where = words.server_reference.empty()
                     ? std::string("it does not say which")
                     : "its Server Reference" + quote_words(words.server_reference);
    return BrokerFault{Kind::other_server, std::move(where) + quote_words(words.reason_string)};
  }
  return std::nullopt;
}

Kind kind_of_connack(int code) {
  switch (code) {
    case 1:
    case unsupported_protocol_version:
      return Kind::protocol;
    case 2:
    case client_identifier_not_valid:
      return Kind::client_id;
    case 3:
    case server_unavailable:
    case server_busy:
    case connection_rate_exceeded:
      return Kind::unavailable;
    case 4:
    case bad_user_name_or_password:
      return Kind::credentials;
    case 5:
    case not_authorized:
      return Kind::not_authorized;
    default:
      return Kind::refused;
  }
}

Kind kind_of(tls::HandshakeFault::Kind kind) {
  using Tls = tls::HandshakeFault::Kind;
  switch (kind) {
    case Tls::untrusted:
      return Kind::certificate_untrusted;
    case Tls::wrong_name:
      return Kind::certificate_name;
    case Tls::out_of_date:
      return Kind::certificate_date;
    case Tls::invalid:
      return Kind::certificate_invalid;
    case Tls::client_certificate_missing:
      return Kind::client_certificate_missing;
    case Tls::client_certificate_refused:
      return Kind::client_certificate_refused;
    case Tls::version:
      return Kind::tls_version;
    case Tls::not_tls:
    case Tls::closed:
    case Tls::other:
      break;
  }
  return Kind::tls;
}

}  // namespace

std::string_view to_string(Kind kind) {
  return row_of(kind).word;
}

std::string text_of(const BrokerFault& fault) {
  const std::string text(row_of(fault.kind).text);
  if (fault.detail.empty()) return text;
  return text.empty() ? fault.detail : text + ": " + fault.detail;
}

std::string_view hint_of(Kind kind) {
  return row_of(kind).hint;
}

BrokerFault fault_of_connack(int code, const BrokerWords& words) {
  if (auto fault = fault_of_both(code, words)) return *std::move(fault);
  const auto kind = kind_of_connack(code);
  const bool says_it_all =
      kind != Kind::refused && (kind != Kind::unavailable || !is_failure(code));
  if (!says_it_all) return {kind, describe_reason(code) + quote_words(words.reason_string)};
  if (words.reason_string.empty()) return {kind, {}};
  return {kind, "it says" + quote_words(words.reason_string)};
}

std::string zero_in_connack(bool receive_maximum) {
  return std::string(receive_maximum ? "its Receive Maximum" : "its Maximum Packet Size") + " is 0";
}

BrokerFault fault_of_disconnect(int reason, const BrokerWords& words) {
  if (auto fault = fault_of_both(reason, words)) return *std::move(fault);
  return {Kind::disconnected, describe_reason(reason) + quote_words(words.reason_string)};
}

BrokerFault fault_of_suback(const std::string& filter, int code, const BrokerWords& words) {
  auto detail = filter + ": " + describe_reason(code) + quote_words(words.reason_string);
  switch (code) {
    case wildcard_subscriptions_not_supported:
      return {Kind::no_wildcards, std::move(detail)};
    case shared_subscriptions_not_supported:
      return {Kind::no_shared_subscriptions, std::move(detail)};
    default:
      return {Kind::subscription_refused, std::move(detail)};
  }
}

BrokerFault fault_of(tls::HandshakeFault fault) {
  return {kind_of(fault.kind), std::move(fault.detail)};
}

BrokerFault no_answer_within(std::chrono::seconds limit) {
  return {Kind::no_answer, "none within " + std::to_string(limit.count()) + " s"};
}

}  // namespace jobs_bridge::mqtt
