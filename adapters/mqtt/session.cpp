#include "adapters/mqtt/session.h"

#include <chrono>
#include <utility>

#include "adapters/mqtt/client.h"
#include "adapters/mqtt/connect_diagnosis.h"
#include "adapters/mqtt/publication_check.h"

namespace jobs_bridge::mqtt {
namespace {

using Protocol = BrokerSettings::Protocol;

/// What MQTT's length field allows, where the broker says nothing (MQTT 5, section 3.2.2.3.6).
constexpr std::size_t largest_packet = 268435460;

}  // namespace

Session::Session(Wanted wanted, const std::string& address, Events& events)
    : settings_(wanted.settings),
      address_(address),
      maximum_packet_size_(largest_packet),
      client_(Client::make(wanted, address, events)) {}

Session::~Session() = default;

std::optional<std::string> Session::connect(const std::function<bool()>& stopping) {
  auto outcome = client_->connect(stopping);
  if (!outcome.accepted) {
    auto fault = std::move(outcome.fault);
    if (fault.empty()) fault = diagnose_connect(settings_, address_, stopping);
    if (fault.empty()) {
      fault = "the broker did not answer CONNECT in MQTT" +
              std::string(settings_.protocol == Protocol::v5 ? " 5" : "") + " (" + outcome.detail +
              ")";
    }
    return fault;
  }
  const auto& connack = *outcome.accepted;
  session_present_ = connack.session_present;
  receive_maximum_ = connack.receive_maximum.value_or(receive_maximum_);
  maximum_packet_size_ = connack.maximum_packet_size.value_or(maximum_packet_size_);
  qos_ = connack.maximum_qos.value_or(qos_);
  // 0 turns the mechanism off at the broker (MQTT 5, sections 3.1.2.10 and 3.2.2.3.14). That
  // demands nothing of us: we go on looking after the link at our own pace.
  if (connack.server_keep_alive != std::chrono::seconds(0)) {
    server_keep_alive_ = connack.server_keep_alive;
  }
  return std::nullopt;
}

std::optional<std::string> Session::subscribe() {
  return client_->subscribe();
}

Sender::Link::Handed Session::hand_over(Outbox::Sequence sequence, const Publication& publication,
                                        Refusal& why) noexcept {
  return send(sequence, publication, qos_, why);
}

void Session::publish_canary(const Publication& canary) noexcept {
  Refusal ignored;
  send(Outbox::nobody, canary, canary_qos(), ignored);
  send_gathered();
}

void Session::publish_topic_test(const Publication& publication) noexcept {
  Refusal ignored;
  send(Outbox::topic_test, publication, topic_test_qos(), ignored);
  send_gathered();
}

Sender::Link::Handed Session::send(Outbox::Sequence sequence, const Publication& publication,
                                   int qos, Refusal& why) noexcept {
  if (auto refusal = check_publication(publication, settings_.protocol == Protocol::v5,
                                       maximum_packet_size_)) {
    why = *std::move(refusal);
    return Handed::never;
  }
  return client_->publish(sequence, publication, qos, why);
}

void Session::send_gathered() noexcept {
  client_->send_gathered();
}

void Session::disconnect() {
  client_->disconnect();
}

}  // namespace jobs_bridge::mqtt
