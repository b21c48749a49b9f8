#include "adapters/mqtt/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "adapters/mqtt/connect_diagnosis.h"
#include "adapters/mqtt/publication_check.h"

namespace jobs_bridge::mqtt {
namespace {

using Protocol = BrokerSettings::Protocol;

/// What MQTT's length field allows, where the broker says nothing (MQTT 5, section 3.2.2.3.6).
constexpr std::size_t max_packet = 268435460;

}  // namespace

Connection::Connection(Client::Options options, const std::string& address, Client::Events& events)
    : settings_(options.settings),
      filters_(options.filters),
      address_(address),
      accepted_before_(options.accepted_before),
      maximum_packet_size_(max_packet),
      qos_(options.qos),
      client_(Client::make(options, address, events)) {}

Connection::~Connection() = default;

std::optional<BrokerFault> Connection::connect(const std::function<bool()>& stopping) {
  auto result = client_->connect(stopping);
  if (!result.accepted) {
    if (result.fault) return add_missing_username(*std::move(result.fault));
    return diagnose_connect(
        {.settings = settings_, .address = address_, .accepted_before = accepted_before_},
        stopping);
  }
  const auto& connack = *result.accepted;
  if (connack.receive_maximum == 0 || connack.maximum_packet_size == 0U) {
    disconnect();
    return BrokerFault{BrokerFault::Kind::malformed, zero_in_connack(connack.receive_maximum == 0)};
  }
  session_present_ = connack.session_present;
  receive_maximum_ = connack.receive_maximum.value_or(receive_maximum_);
  maximum_packet_size_ = connack.maximum_packet_size.value_or(maximum_packet_size_);
  qos_ = std::min<int>(connack.maximum_qos.value_or(qos_), qos_);
  // 0 turns the mechanism off at the broker (MQTT 5, sections 3.1.2.10 and 3.2.2.3.14). That
  // requires nothing of us: we go on checking the link at our own interval. Nor does a broker that
  // repeats what our CONNECT carries, which is less than our settings say.
  const auto wanted = connack.server_keep_alive.value_or(std::chrono::seconds(0));
  if (wanted > std::chrono::seconds(0) && wanted < client_->keep_alive()) {
    server_keep_alive_ = wanted;
  }
  if (connack.maximum_qos == 0) shortcomings_.push_back({BrokerFault::Kind::qos_0_only});
  if (connack.session_expiry.value_or(settings_.session_expiry) < settings_.session_expiry) {
    shortcomings_.push_back({BrokerFault::Kind::session_expiry,
                             std::to_string(connack.session_expiry->count()) + " s instead of " +
                                 std::to_string(settings_.session_expiry.count()) + " s"});
  }
  if (!connack.retained_messages) unneeded_missing_features_ = "retained messages";
  if (!connack.subscription_identifiers) {
    unneeded_missing_features_ +=
        (unneeded_missing_features_.empty() ? "" : ", ") + std::string("subscription identifiers");
  }
  auto fault = missing_feature(!connack.wildcard_subscriptions, !connack.shared_subscriptions);
  if (fault) disconnect();
  return fault;
}

/// A broker that refuses the credentials does not say that there were none.
BrokerFault Connection::add_missing_username(BrokerFault fault) const {
  using Kind = BrokerFault::Kind;
  if (!settings_.username.empty() ||
      (fault.kind != Kind::credentials && fault.kind != Kind::not_authorized)) {
    return fault;
  }
  fault.detail.insert(0, fault.detail.empty() ? "" : "; ");
  fault.detail.insert(0, "no user name was sent (broker.username is empty)");
  return fault;
}

std::optional<BrokerFault> Connection::missing_feature(bool no_wildcards, bool no_shared) const {
  const auto is_shared = [](const std::string& filter) { return filter.starts_with("$share/"); };
  const auto has_wildcard = [](const std::string& filter) {
    return filter.find_first_of("+#") != std::string::npos;
  };
  if (no_shared && std::ranges::any_of(filters_, is_shared)) {
    return BrokerFault{BrokerFault::Kind::no_shared_subscriptions,
                       "broker.share_group requires them"};
  }
  if (no_wildcards && std::ranges::any_of(filters_, has_wildcard)) {
    return BrokerFault{BrokerFault::Kind::no_wildcards};
  }
  return std::nullopt;
}

std::optional<BrokerFault> Connection::subscribe() {
  auto fault = client_->subscribe();
  if (!fault) return std::nullopt;
  return BrokerFault{BrokerFault::Kind::library, "subscribing: " + *std::move(fault)};
}

Sender::Link::SendResult Connection::hand_over(Outbox::Sequence sequence,
                                               const Publication& publication,
                                               Refusal& why) noexcept {
  return send(sequence, publication, qos_, why);
}

void Connection::publish_canary(const Publication& canary) noexcept {
  Refusal ignored;
  send(Outbox::canary, canary, canary_qos(), ignored);
  send_gathered();
}

void Connection::publish_topic_test(const Publication& publication) noexcept {
  Refusal ignored;
  send(Outbox::topic_test, publication, topic_test_qos(), ignored);
  send_gathered();
}

Sender::Link::SendResult Connection::send(Outbox::Sequence sequence, const Publication& publication,
                                          int qos, Refusal& why) noexcept {
  if (auto refusal = check_publication(publication, settings_.protocol == Protocol::v5,
                                       maximum_packet_size_)) {
    why = *std::move(refusal);
    return SendResult::unsendable;
  }
  return client_->publish(sequence, publication, qos, why);
}

void Connection::send_gathered() noexcept {
  client_->send_gathered();
}

void Connection::disconnect() {
  client_->disconnect();
}

}  // namespace jobs_bridge::mqtt
