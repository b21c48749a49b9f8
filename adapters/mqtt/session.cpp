#include "adapters/mqtt/session.h"

#include <mqtt/async_client.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>

#include "adapters/mqtt/connect_diagnosis.h"
#include "adapters/mqtt/fault.h"
#include "adapters/mqtt/no_delay.h"
#include "adapters/mqtt/publication_check.h"
#include "adapters/mqtt/session_client.h"
#include "adapters/mqtt/session_options.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using Protocol = BrokerSettings::Protocol;

/// What MQTT's length field allows, where the broker says nothing (MQTT 5, section 3.2.2.3.6).
constexpr std::size_t largest_packet = 268435460;

/// A number in a CONNACK.
template <typename Value, typename Otherwise>
Otherwise property_or(const ::mqtt::properties& properties, ::mqtt::property::code code,
                      Otherwise otherwise) {
  if (!properties.contains(code)) return otherwise;
  return static_cast<Otherwise>(::mqtt::get<Value>(properties, code));
}

/// From Paho's account of a failed connect; empty where it knows no more than that it failed.
std::string connack_fault(const ::mqtt::exception& error) {
  // Paho 1.3.12 passes the code of a CONNACK as its own return code, also over MQTT 5.
  if (error.get_return_code() > 0) return describe_connack(error.get_return_code());
  const int reason = error.get_reason_code();
  return reason >= 0x80 && reason < 0xFF ? describe_connack(reason) : "";
}

}  // namespace

Session::Session(Wanted wanted, const std::string& address, Events& events)
    : settings_(wanted.settings),
      address_(address),
      maximum_packet_size_(largest_packet),
      client_(std::make_unique<Client>(wanted, address, events)) {}

Session::~Session() = default;

std::optional<std::string> Session::connect(const std::function<bool()>& stopping) {
  const auto silent = [&] {
    return "no answer to CONNECT within " + std::to_string(settings_.connect_timeout.count()) +
           " s";
  };
  try {
    const auto options = connect_options_of(settings_);
    const auto token = client_->connect(options);
    // Paho has a limit of its own, which it checks now and then; this one is for when it does not.
    const auto limit = std::chrono::steady_clock::now() + settings_.connect_timeout;
    while (!token->wait_for(50ms)) {
      if (stopping()) return "stopped";
      if (std::chrono::steady_clock::now() > limit) return silent();
    }
    const auto answer = token->get_connect_response();
    session_present_ = answer.is_session_present();
    if (settings_.protocol == Protocol::v5) {
      using code = ::mqtt::property::code;
      const auto& properties = answer.get_properties();
      receive_maximum_ =
          property_or<std::uint16_t>(properties, code::RECEIVE_MAXIMUM, receive_maximum_);
      maximum_packet_size_ =
          property_or<std::uint32_t>(properties, code::MAXIMUM_PACKET_SIZE, maximum_packet_size_);
      qos_ = property_or<std::uint8_t>(properties, code::MAXIMUM_QOS, qos_);
      if (properties.contains(code::SERVER_KEEP_ALIVE)) {
        server_keep_alive_ =
            std::chrono::seconds(::mqtt::get<std::uint16_t>(properties, code::SERVER_KEEP_ALIVE));
      }
    }
  } catch (const ::mqtt::exception& error) {
    auto fault = connack_fault(error);
    if (fault.empty()) fault = diagnose_connect(settings_, address_, stopping);
    if (fault.empty()) {
      fault = "the broker did not answer CONNECT in MQTT" +
              std::string(settings_.protocol == Protocol::v5 ? " 5" : "") + " (" + error.what() +
              ")";
    }
    return fault;
  }
  set_no_delay(settings_.port);
  return std::nullopt;
}

std::optional<std::string> Session::subscribe() {
  try {
    client_->subscribe();
    return std::nullopt;
  } catch (const std::exception& error) {
    return error.what();
  }
}

Sender::Link::Handed Session::hand_over(Outbox::Sequence sequence, const Publication& publication,
                                        std::string& cause) noexcept {
  return send(sequence, publication, qos_, cause);
}

void Session::publish_canary(const Publication& canary) noexcept {
  std::string ignored;
  send(Outbox::nobody, canary, canary_qos(), ignored);
}

Sender::Link::Handed Session::send(Outbox::Sequence sequence, const Publication& publication,
                                   int qos, std::string& cause) noexcept {
  const bool mqtt_5 = settings_.protocol == Protocol::v5;
  try {
    if (auto fault = fault_of(publication, mqtt_5, maximum_packet_size_)) {
      cause = *std::move(fault);
      return Handed::never;
    }
    ::mqtt::properties properties;
    if (mqtt_5 && !publication.correlation_data.empty()) {
      properties.add({::mqtt::property::CORRELATION_DATA, publication.correlation_data});
    }
    if (mqtt_5 && !publication.content_type.empty()) {
      properties.add({::mqtt::property::CONTENT_TYPE, publication.content_type});
    }
    client_->publish(sequence,
                     std::make_shared<const ::mqtt::message>(publication.topic, publication.payload,
                                                             qos, false, std::move(properties)));
    return Handed::over;
  } catch (const ::mqtt::exception& error) {
    cause = error.what();
    return error.get_return_code() == MQTTASYNC_BAD_UTF8_STRING ? Handed::never : Handed::later;
  } catch (const std::exception& error) {
    cause = error.what();
    return Handed::later;
  }
}

void Session::disconnect() {
  try {
    client_->disconnect()->wait_for(500ms);
  } catch (const std::exception&) {
    // It was not connected any more, which is what was wanted.
  }
}

}  // namespace jobs_bridge::mqtt
