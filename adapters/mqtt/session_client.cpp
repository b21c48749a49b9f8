#include "adapters/mqtt/session_client.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>

#include "adapters/mqtt/fault.h"
#include "adapters/mqtt/session_options.h"

namespace jobs_bridge::mqtt {
namespace {

constexpr int at_least_once = 1;

/// A reason of the broker's, as opposed to 0 and 255, which stand for "none" in Paho's tokens.
bool is_refusal(int reason) {
  return reason >= 0x80 && reason < 0xFF;
}

void* as_context(Outbox::Sequence sequence) {
  return reinterpret_cast<void*>(sequence);  // NOLINT(performance-no-int-to-ptr): comes back as is
}
Outbox::Sequence as_sequence(const ::mqtt::token& token) {
  return reinterpret_cast<Outbox::Sequence>(token.get_user_context());
}

std::string property_or_empty(const ::mqtt::properties& properties, ::mqtt::property::code code) {
  return properties.contains(code) ? ::mqtt::get<std::string>(properties, code) : std::string();
}

Message as_message(const ::mqtt::message& arrived) {
  Message message{.topic = arrived.get_topic(),
                  .payload = arrived.get_payload_str(),
                  .retained = arrived.is_retained()};
  const auto& properties = arrived.get_properties();
  if (!properties.empty()) {
    using code = ::mqtt::property::code;
    message.response_topic = property_or_empty(properties, code::RESPONSE_TOPIC);
    message.correlation_data = property_or_empty(properties, code::CORRELATION_DATA);
    message.content_type = property_or_empty(properties, code::CONTENT_TYPE);
    if (properties.contains(code::MESSAGE_EXPIRY_INTERVAL)) {
      message.expires_after = std::chrono::seconds(
          ::mqtt::get<std::uint32_t>(properties, code::MESSAGE_EXPIRY_INTERVAL));
    }
  }
  return message;
}

template <typename Events, typename Action>
void guarded(Events& events, Action&& action) noexcept {
  try {
    action();
  } catch (const std::exception& error) {
    events.failed(error.what());
  }
}

}  // namespace

Session::Client::Client(Wanted wanted, const std::string& address, Events& events)
    : mqtt_5_(wanted.settings.protocol == BrokerSettings::Protocol::v5),
      filters_(wanted.filters),
      events_(events),
      publishing_(events),
      subscribing_(events),
      paho_(url_of(wanted.settings, address), wanted.settings.client_id,
            create_options_of(wanted.settings), nullptr) {
  // Otherwise Paho writes a line for every packet and function into a buffer that nobody reads, a
  // fifth of its time.
  MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
  // Before connecting: Paho takes locks in another order when handlers are set later.
  paho_.set_callback(*this);
  if (mqtt_5_) {
    paho_.set_disconnected_handler([this](const ::mqtt::properties& properties,
                                          ::mqtt::ReasonCode reason) {
      guarded(events_, [&] {
        const auto words = property_or_empty(properties, ::mqtt::property::REASON_STRING);
        events_.lost("the broker disconnected us: " + describe_reason(static_cast<int>(reason)) +
                     quote_reason_string(words));
      });
    });
  }
}

void Session::Client::subscribe() {
  // Over MQTT 5 requests that a device retained by mistake are not even sent to us.
  const auto options = mqtt_5_ ? ::mqtt::subscribe_options(
                                     false, false, ::mqtt::subscribe_options::DONT_SEND_RETAINED)
                               : ::mqtt::subscribe_options();
  subscribing_.begin(filters_.size());
  // A request for each: one request for many with options makes Paho C++ 1.2.0 read through a null
  // pointer.
  for (const auto& filter : filters_) {
    paho_.subscribe(filter, at_least_once, nullptr, subscribing_, options);
  }
}

void Session::Client::publish(Outbox::Sequence sequence, const ::mqtt::const_message_ptr& message) {
  paho_.publish(message, as_context(sequence), publishing_);
}

void Session::Client::message_arrived(::mqtt::const_message_ptr message) {
  guarded(events_, [&] {
    if (message) events_.arrived(as_message(*message));
  });
}

void Session::Client::connection_lost(const std::string& cause) {
  guarded(events_, [&] { events_.lost(cause); });
}

void Session::Client::Publishing::on_success(const ::mqtt::token& token) {
  guarded(events_, [&] { events_.acknowledged(as_sequence(token)); });
}

void Session::Client::Publishing::on_failure(const ::mqtt::token& token) {
  guarded(events_, [&] {
    // Without a reason from the broker it is the connection that failed, and the publication will
    // be sent over the next.
    const auto reason = static_cast<int>(token.get_reason_code());
    if (is_refusal(reason)) events_.refused(as_sequence(token), describe_reason(reason));
  });
}

void Session::Client::Subscribing::begin(std::size_t filters) {
  unanswered_ = filters;
  refused_.clear();
}

void Session::Client::Subscribing::on_success(const ::mqtt::token& token) {
  guarded(events_, [&] {
    const auto reasons = token.get_subscribe_response().get_reason_codes();
    answered(token, reasons.empty() ? 0x80 : static_cast<int>(reasons.front()));
  });
}

void Session::Client::Subscribing::on_failure(const ::mqtt::token& token) {
  guarded(events_, [&] {
    // A refusal: over MQTT 5 a reason, over 3.1.1 an error with the same number. Anything else
    // means that the connection is over.
    int reason = static_cast<int>(token.get_reason_code());
    if (!is_refusal(reason)) reason = token.get_return_code();
    if (is_refusal(reason)) answered(token, reason);
  });
}

void Session::Client::Subscribing::answered(const ::mqtt::token& token, int reason) {
  if (is_refusal(reason)) {
    refused_.push_back({(*token.get_topics())[0], describe_reason(reason)});
  }
  if (--unanswered_ == 0) events_.subscribed(std::move(refused_));
}

}  // namespace jobs_bridge::mqtt
