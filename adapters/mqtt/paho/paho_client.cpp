#include "adapters/mqtt/paho/paho_client.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "adapters/mqtt/packet_size_guard.h"
#include "adapters/mqtt/paho/paho_options.h"
#include "adapters/mqtt/paho/system_calls.h"
#include "adapters/mqtt/reason.h"
#include "adapters/mqtt/tls_context.h"
#include "bridge/jobs/arrival.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

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

/// The value of arrival_property, if there is exactly one.
std::string arrival_in(const ::mqtt::properties& properties) {
  // Paho's C++ looks for each from the first one on, and a device can send thousands.
  const auto& list = properties.c_struct();
  const auto text = [](const MQTTLenString& string) {
    return std::string_view(string.data, static_cast<std::size_t>(string.len));
  };
  std::string_view arrival;
  std::size_t found = 0;
  for (int index = 0; index < list.count; ++index) {
    const auto& property = list.array[index];
    if (property.identifier != MQTTPROPERTY_CODE_USER_PROPERTY) continue;
    if (text(property.value.data) != arrival_property) continue;
    arrival = text(property.value.value);
    ++found;
  }
  return found == 1 ? std::string(arrival) : std::string();
}

Message as_message(const ::mqtt::message& arrived) {
  Message message{.topic = arrived.get_topic(),
                  .payload = arrived.get_payload_str(),
                  .retained = arrived.is_retained(),
                  .redelivered = arrived.is_duplicate()};
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
    message.arrival = arrival_in(properties);
  }
  return message;
}

/// A number in a CONNACK.
template <typename Value>
std::optional<Value> number_in(const ::mqtt::properties& properties, ::mqtt::property::code code) {
  if (!properties.contains(code)) return std::nullopt;
  return ::mqtt::get<Value>(properties, code);
}

/// From Paho's account of a failed connect; nothing where it knows no more than that it failed.
std::optional<BrokerFault> connack_fault(const ::mqtt::exception& error) {
  // Paho 1.3.12 passes the code of a CONNACK as its own return code, also over MQTT 5.
  if (error.get_return_code() > 0) return fault_of_connack(error.get_return_code());
  const int reason = error.get_reason_code();
  if (!is_refusal(reason)) return std::nullopt;
  return fault_of_connack(reason);
}

struct End {
  BrokerFault fault;
  Evidence evidence;
};
/// Why Paho has given a connection up, which it does not report.
End end_after(const LastRead& read, std::chrono::steady_clock::time_point began) {
  using Outcome = LastRead::Outcome;
  using Kind = BrokerFault::Kind;
  if (read.outcome != Outcome::data || write_failed_since(began)) {
    return {.fault = {.kind = Kind::broken}, .evidence = Evidence::strong};
  }
  // It gives up at once on a packet that it cannot parse, and on a silent broker after a second at
  // the earliest.
  const bool just_now = std::chrono::steady_clock::now() - read.came < 500ms;
  if (just_now) return {.fault = {.kind = Kind::malformed}, .evidence = Evidence::none};
  return {.fault = {.kind = Kind::silent}, .evidence = Evidence::weak};
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

std::unique_ptr<Client> make_paho_client(Client::Options options, const std::string& address,
                                         Client::Events& events) {
  return std::make_unique<PahoClient>(options, address, events);
}

PahoClient::PahoClient(Client::Options options, const std::string& address, Client::Events& events)
    : settings_(options.settings),
      mqtt_5_(options.settings.protocol == BrokerSettings::Protocol::v5),
      clean_(options.clean),
      filters_(options.filters),
      events_(events),
      peer_(address, settings_.port, filter_limits(settings_)),
      publishing_(events),
      subscribing_(events),
      paho_(url_of(options.settings, address), options.settings.client_id,
            create_options_of(options.settings), nullptr) {
  interpose_system_calls();
  bound_reads(settings_.max_packet_size);
  // Otherwise Paho writes a line for every packet and function into a buffer that is never read,
  // which takes a fifth of its time.
  MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
  // Before connecting: Paho takes locks in another order when handlers are set later.
  paho_.set_callback(*this);
  if (mqtt_5_) {
    // The only place where a broker's text is available: Paho C++ drops the properties of every
    // request that fails, and with them the text of a refusing CONNACK, SUBACK or PUBACK.
    paho_.set_disconnected_handler([this](const ::mqtt::properties& properties,
                                          ::mqtt::ReasonCode reason) {
      guarded(events_, [&] {
        const BrokerWords words{
            .reason_string = property_or_empty(properties, ::mqtt::property::REASON_STRING),
            .server_reference = property_or_empty(properties, ::mqtt::property::SERVER_REFERENCE)};
        events_.lost(fault_of_disconnect(static_cast<int>(reason), words),
                     evidence_of_disconnect(static_cast<int>(reason)));
      });
    });
  }
}

Client::ConnectResult PahoClient::connect(const std::function<bool()>& stopping) {
  ConnectResult result;
  if (settings_.tls) {
    if (auto fault = check_files(settings_)) return {.fault = std::move(fault)};
  }
  try {
    const auto options = connect_options_of(settings_, clean_);
    const auto token = paho_.connect(options);
    // Paho has a limit of its own, which it checks now and then; this one is for when it does not.
    const auto limit = std::chrono::steady_clock::now() + settings_.connect_timeout;
    while (!token->wait_for(50ms)) {
      if (stopping()) return {.fault = BrokerFault{BrokerFault::Kind::interrupted}};
      if (std::chrono::steady_clock::now() > limit) {
        return {.fault = no_answer_within(settings_.connect_timeout)};
      }
    }
    const auto answer = token->get_connect_response();
    Connack connack;
    connack.session_present = answer.is_session_present();
    if (mqtt_5_) {
      using code = ::mqtt::property::code;
      const auto& properties = answer.get_properties();
      connack.receive_maximum = number_in<std::uint16_t>(properties, code::RECEIVE_MAXIMUM);
      connack.maximum_packet_size = number_in<std::uint32_t>(properties, code::MAXIMUM_PACKET_SIZE);
      connack.maximum_qos = number_in<std::uint8_t>(properties, code::MAXIMUM_QOS);
      if (const auto seconds = number_in<std::uint16_t>(properties, code::SERVER_KEEP_ALIVE)) {
        connack.server_keep_alive = std::chrono::seconds(*seconds);
      }
      if (const auto seconds =
              number_in<std::uint32_t>(properties, code::SESSION_EXPIRY_INTERVAL)) {
        connack.session_expiry = std::chrono::seconds(*seconds);
      }
      const auto has = [&](code which) { return number_in<std::uint8_t>(properties, which) != 0; };
      connack.retained_messages = has(code::RETAIN_AVAILABLE);
      connack.subscription_identifiers = has(code::SUBSCRIPTION_IDENTIFIERS_AVAILABLE);
      connack.wildcard_subscriptions = has(code::WILDCARD_SUBSCRIPTION_AVAILABLE);
      connack.shared_subscriptions = has(code::SHARED_SUBSCRIPTION_AVAILABLE);
    }
    result.accepted = connack;
  } catch (const ::mqtt::exception& error) {
    return {.fault = connack_fault(error)};
  }
  return result;
}

std::optional<std::string> PahoClient::subscribe() {
  // Over MQTT 5 requests that a device retained by mistake are not even sent to us.
  const auto options = mqtt_5_ ? ::mqtt::subscribe_options(
                                     false, false, ::mqtt::subscribe_options::DONT_SEND_RETAINED)
                               : ::mqtt::subscribe_options();
  subscribing_.begin(filters_.size());
  try {
    // A request for each: one request for many with options makes Paho C++ 1.2.0 read through a
    // null pointer.
    for (const auto& filter : filters_) {
      paho_.subscribe(filter, at_least_once, nullptr, subscribing_, options);
    }
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  }
}

Sender::Link::SendResult PahoClient::publish(Outbox::Sequence sequence,
                                             const Publication& publication, int qos,
                                             Refusal& why) noexcept {
  using SendResult = Sender::Link::SendResult;
  try {
    ::mqtt::properties properties;
    if (mqtt_5_ && !publication.correlation_data.empty()) {
      properties.add({::mqtt::property::CORRELATION_DATA, publication.correlation_data});
    }
    if (mqtt_5_ && !publication.content_type.empty()) {
      properties.add({::mqtt::property::CONTENT_TYPE, publication.content_type});
    }
    const auto message = std::make_shared<const ::mqtt::message>(
        publication.topic, publication.payload, qos, false, std::move(properties));
    paho_.publish(message, as_context(sequence), publishing_);
    return SendResult::accepted;
  } catch (const ::mqtt::exception& error) {
    why = {.kind = Refusal::Kind::malformed, .detail = error.what()};
    return error.get_return_code() == MQTTASYNC_BAD_UTF8_STRING ? SendResult::unsendable
                                                                : SendResult::link_failed;
  } catch (const std::exception& error) {
    why.detail = error.what();
    return SendResult::link_failed;
  }
}

void PahoClient::disconnect() noexcept {
  try {
    // Zero: Paho would wait for acknowledgements, for ten seconds if the broker is silent.
    paho_.disconnect(0)->wait_for(500ms);
  } catch (const std::exception&) {
    // It was not connected any more, which is what was options.
  }
}

void PahoClient::message_arrived(::mqtt::const_message_ptr message) {
  guarded(events_, [&] {
    if (message) events_.arrived(as_message(*message));
  });
}

void PahoClient::connection_lost(const std::string& cause) {
  guarded(events_, [&] {
    // By the thread that has read.
    const auto read = last_read();
    if (read.outcome == LastRead::Outcome::too_large) events_.too_large(read.asked);
    auto end = end_after(read, began_);
    if (end.fault.detail.empty()) end.fault.detail = cause;
    events_.lost(std::move(end.fault), end.evidence);
  });
}

void PahoClient::Publishing::on_success(const ::mqtt::token& token) {
  guarded(events_, [&] {
    if (static_cast<int>(token.get_reason_code()) == no_matching_subscribers) {
      events_.unmatched(as_sequence(token));
    } else {
      events_.acknowledged(as_sequence(token));
    }
  });
}

void PahoClient::Publishing::on_failure(const ::mqtt::token& token) {
  guarded(events_, [&] {
    // Without a reason from the broker it is the connection that failed, and the publication will
    // be sent over the next.
    const auto reason = static_cast<int>(token.get_reason_code());
    if (is_refusal(reason)) events_.refused(as_sequence(token), refusal_of(reason));
  });
}

void PahoClient::Subscribing::begin(std::size_t filters) {
  unanswered_ = filters;
  answers_.clear();
}

void PahoClient::Subscribing::on_success(const ::mqtt::token& token) {
  guarded(events_, [&] {
    const auto reasons = token.get_subscribe_response().get_reason_codes();
    answered(token, reasons.empty() ? 0x80 : static_cast<int>(reasons.front()));
  });
}

void PahoClient::Subscribing::on_failure(const ::mqtt::token& token) {
  guarded(events_, [&] {
    // A refusal: over MQTT 5 a reason, over 3.1.1 an error with the same number. Anything else
    // means that the connection is over.
    int reason = static_cast<int>(token.get_reason_code());
    if (!is_refusal(reason)) reason = token.get_return_code();
    if (is_refusal(reason)) answered(token, reason);
  });
}

void PahoClient::Subscribing::answered(const ::mqtt::token& token, int reason) {
  answers_.push_back({.filter = (*token.get_topics())[0], .code = reason});
  if (--unanswered_ == 0) events_.subscribed(std::move(answers_));
}

}  // namespace jobs_bridge::mqtt
