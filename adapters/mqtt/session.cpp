#include "adapters/mqtt/session.h"

#include <mqtt/async_client.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "adapters/mqtt/connect_diagnosis.h"
#include "adapters/mqtt/fault.h"
#include "adapters/mqtt/no_delay.h"

namespace jobs_bridge::mqtt {
namespace {

using Protocol = BrokerSettings::Protocol;
using namespace std::chrono_literals;

constexpr int at_least_once = 1;
/// What a PUBLISH adds to its topic, payload and correlation data: headers, lengths, property ids.
constexpr std::size_t packet_overhead = 32;

/// Over MQTT 3.1.1 a broker does not say how much it takes at once. Mosquitto queues what is over
/// its own limit without trouble; what must not happen is that Paho meets *its* limit, see Outbox.
constexpr std::size_t assumed_receive_maximum = 65535;

int version(Protocol protocol) {
  return protocol == Protocol::v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
}

std::string url(const BrokerSettings& settings) {
  const bool ipv6 = settings.host.find(':') != std::string::npos;
  return (settings.tls ? "ssl://" : "tcp://") + (ipv6 ? "[" + settings.host + "]" : settings.host) +
         ":" + std::to_string(settings.port);
}

::mqtt::create_options create_options(const BrokerSettings& settings) {
  // Paho's own buffer counts what is under way, too, and throws when it is full; the Outbox bounds
  // that already.
  return {version(settings.protocol), 1 << 20};
}

void* as_context(Outbox::Sequence sequence) {
  return reinterpret_cast<void*>(sequence);
}
Outbox::Sequence as_sequence(const ::mqtt::token& token) {
  return reinterpret_cast<Outbox::Sequence>(token.get_user_context());
}

template <typename Value>
Value property_or(const ::mqtt::properties& properties, ::mqtt::property::code code,
                  Value otherwise) {
  return properties.contains(code) ? ::mqtt::get<Value>(properties, code) : std::move(otherwise);
}

Message as_message(const ::mqtt::message& arrived) {
  Message message{.topic = arrived.get_topic(),
                  .payload = arrived.get_payload_str(),
                  .retained = arrived.is_retained()};
  const auto& properties = arrived.get_properties();
  if (!properties.empty()) {
    using code = ::mqtt::property::code;
    message.response_topic = property_or(properties, code::RESPONSE_TOPIC, std::string());
    message.correlation_data = property_or(properties, code::CORRELATION_DATA, std::string());
  }
  return message;
}

}  // namespace

class Session::Client final : public ::mqtt::callback, public ::mqtt::iaction_listener {
 public:
  Client(const BrokerSettings& settings, Events& events)
      : events_(events),
        paho_(url(settings), settings.client_id, jobs_bridge::mqtt::create_options(settings),
              nullptr) {
    // Before connecting: Paho takes locks in another order when handlers are set later.
    paho_.set_callback(*this);
    if (settings.protocol == Protocol::v5) {
      paho_.set_disconnected_handler([this](const ::mqtt::properties&, ::mqtt::ReasonCode reason) {
        events_.lost("the broker disconnected us: " + describe_reason(reason));
      });
    }
  }

  ::mqtt::async_client& paho() { return paho_; }

 private:
  void message_arrived(::mqtt::const_message_ptr message) override {
    try {
      if (message) events_.arrived(as_message(*message));
    } catch (const std::exception& error) {
      // Only for want of memory; a throw out of here would end the process.
      events_.lost(error.what());
    }
  }

  void connection_lost(const std::string& cause) override {
    events_.lost(cause.empty() ? "the connection broke" : cause);
  }

  /// A publication's acknowledgement came.
  void on_success(const ::mqtt::token& token) override { events_.acknowledged(as_sequence(token)); }

  void on_failure(const ::mqtt::token& token) override {
    const auto reason = static_cast<int>(token.get_reason_code());
    // Without a reason from the broker it is the connection that failed, and the publication will
    // be sent over the next.
    if (reason >= 0x80 && reason <= 0xFF) {
      events_.refused(as_sequence(token), describe_reason(reason));
    }
  }

  Events& events_;
  ::mqtt::async_client paho_;  ///< last: destroyed, and with it every callback ended, first
};

Session::Session(const BrokerSettings& settings, Events& events)
    : client_(std::make_unique<Client>(settings, events)), settings_(settings) {}

Session::~Session() = default;

std::optional<std::string> Session::connect(const std::function<bool()>& stopping) {
  ::mqtt::connect_options options;
  options.set_mqtt_version(version(settings_.protocol));
  options.set_connect_timeout(settings_.connect_timeout);
  // Paho notices a dead link after up to two and a half of its keep-alive intervals: one until it
  // asks, one and a half until it gives up waiting.
  options.set_keep_alive_interval(std::max(std::chrono::seconds(1), settings_.keep_alive / 2));
  options.set_max_inflight(65535);
  if (!settings_.username.empty()) {
    options.set_user_name(settings_.username);
    options.set_password(settings_.password);
  }
  const auto expiry = settings_.session_expiry.count();
  if (settings_.protocol == Protocol::v5) {
    using code = ::mqtt::property::code;
    options.set_clean_start(expiry == 0);
    options.set_properties({
        {code::SESSION_EXPIRY_INTERVAL,
         static_cast<std::int32_t>(std::min<std::int64_t>(expiry, 0x7FFFFFFF))},
        // Without it a broker may drop, after having acknowledged it, what it cannot hand us at
        // once: mosquitto does so past 1,000 messages.
        {code::RECEIVE_MAXIMUM, 65535},
    });
  } else {
    options.set_clean_session(expiry == 0);
  }
  if (settings_.tls) {
    ::mqtt::ssl_options tls;
    if (!settings_.ca_file.empty()) {
      tls.set_trust_store(settings_.ca_file);
    }
    if (!settings_.certificate_file.empty()) {
      tls.set_key_store(settings_.certificate_file);
      tls.set_private_key(settings_.private_key_file);
    }
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);  // the host name: Paho leaves it out otherwise
    tls.set_ssl_version(MQTT_SSL_VERSION_TLS_1_2);
    options.set_ssl(std::move(tls));
  }
  try {
    const auto token = client_->paho().connect(options);
    // Paho has a limit of its own, which it checks now and then; this one is for when it does not.
    const auto limit = std::chrono::steady_clock::now() + settings_.connect_timeout + 1s;
    while (!token->wait_for(50ms)) {
      if (stopping()) return "stopped";
      if (std::chrono::steady_clock::now() > limit) {
        return "no answer to CONNECT within " + std::to_string(settings_.connect_timeout.count()) +
               " s";
      }
    }
    const auto answer = token->get_connect_response();
    session_present_ = answer.is_session_present();
    receive_maximum_ = assumed_receive_maximum;
    if (settings_.protocol == Protocol::v5) {
      using code = ::mqtt::property::code;
      const auto& properties = answer.get_properties();
      receive_maximum_ = property_or<std::uint16_t>(properties, code::RECEIVE_MAXIMUM, 65535);
      maximum_packet_size_ =
          property_or<std::uint32_t>(properties, code::MAXIMUM_PACKET_SIZE, 268435460);
    }
  } catch (const ::mqtt::exception& error) {
    auto fault = describe_connect_fault(error.get_return_code(), error.get_reason_code(),
                                        error.get_message());
    if (error.get_return_code() < 0) {
      if (auto cause = diagnose_connect(settings_); !cause.empty()) fault = std::move(cause);
    }
    return fault;
  }
  set_no_delay(settings_.port);
  return std::nullopt;
}

Session::Subscribed Session::subscribe(const std::vector<std::string>& filters) {
  Subscribed result;
  try {
    const auto collection = ::mqtt::string_collection::create(filters);
    const std::vector<int> qos(filters.size(), at_least_once);
    std::vector<::mqtt::subscribe_options> options;
    if (settings_.protocol == Protocol::v5) {
      // Old requests that a device retained by mistake are not even sent to us.
      options.assign(
          filters.size(),
          ::mqtt::subscribe_options(false, false, ::mqtt::subscribe_options::DONT_SEND_RETAINED));
    }
    const auto token = client_->paho().subscribe(collection, qos, options);
    if (!token->wait_for(settings_.connect_timeout)) {
      result.fault = "no answer to SUBSCRIBE";
      return result;
    }
    const auto reasons = token->get_subscribe_response().get_reason_codes();
    for (std::size_t i = 0; i < filters.size(); ++i) {
      const int reason = i < reasons.size() ? static_cast<int>(reasons[i]) : 0x80;
      if (reason >= 0x80)
        result.refused.push_back(filters[i] + " (" + describe_reason(reason) + ")");
    }
  } catch (const ::mqtt::exception& error) {
    result.fault = error.what();
  }
  return result;
}

Session::Handed Session::publish(Outbox::Sequence sequence, const Publication& publication,
                                 std::string& cause) {
  const auto size = publication.topic.size() + publication.payload.size() +
                    publication.correlation_data.size() + packet_overhead;
  if (size > maximum_packet_size_) {
    cause =
        "it is larger than the broker takes: " + std::to_string(maximum_packet_size_) + " bytes";
    return Handed::never;
  }
  try {
    ::mqtt::properties properties;
    if (settings_.protocol == Protocol::v5 && !publication.correlation_data.empty()) {
      properties.add({::mqtt::property::CORRELATION_DATA, publication.correlation_data});
    }
    const auto message = std::make_shared<const ::mqtt::message>(
        publication.topic, publication.payload, at_least_once, false, std::move(properties));
    client_->paho().publish(message, as_context(sequence), *client_);
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
    client_->paho().disconnect()->wait_for(std::chrono::seconds(1));
  } catch (const ::mqtt::exception&) {
    // It was not connected any more, which is what was wanted.
  }
}

}  // namespace jobs_bridge::mqtt
