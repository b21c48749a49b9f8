#include "tests/support/mqtt_device.h"

#include <mqtt/async_client.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "adapters/mqtt/no_delay.h"

namespace jobs_bridge::testing_support {
namespace {

int version(const MqttDevice::Options& options) {
  return options.version_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
}

::mqtt::connect_options connect_options(const MqttDevice::Options& options) {
  ::mqtt::connect_options connect;
  connect.set_mqtt_version(version(options));
  if (options.version_5) {
    connect.set_clean_start(!options.persistent);
    ::mqtt::properties properties;
    properties.add({::mqtt::property::RECEIVE_MAXIMUM, 65535});
    if (options.persistent) properties.add({::mqtt::property::SESSION_EXPIRY_INTERVAL, 3600});
    connect.set_properties(std::move(properties));
  } else {
    connect.set_clean_session(!options.persistent);
  }
  connect.set_max_inflight(65535);
  if (options.persistent) {
    connect.set_automatic_reconnect(std::chrono::seconds(1), std::chrono::seconds(1));
  }
  if (!options.username.empty()) {
    connect.set_user_name(options.username);
    connect.set_password(options.password);
  }
  if (!options.ca_file.empty()) {
    ::mqtt::ssl_options tls;
    tls.set_trust_store(options.ca_file);
    if (!options.certificate_file.empty()) {
      tls.set_key_store(options.certificate_file);
      tls.set_private_key(options.private_key_file);
    }
    tls.set_verify(true);
    connect.set_ssl(std::move(tls));
  }
  return connect;
}

}  // namespace

class MqttDevice::Client final : public ::mqtt::callback {
 public:
  explicit Client(const Options& options)
      : port_(options.port),
        paho((options.ca_file.empty() ? "tcp://localhost:" : "ssl://localhost:") +
                 std::to_string(options.port),
             options.client_id, ::mqtt::create_options(version(options), 1 << 20), nullptr) {
    paho.set_callback(*this);
    const auto token = paho.connect(connect_options(options));
    if (!token->wait_for(patience)) throw std::runtime_error("no answer to CONNECT");
    mqtt::set_no_delay(port_);
  }

  /// Also of every reconnection.
  void connected(const std::string& /*cause*/) override { mqtt::set_no_delay(port_); }

  void message_arrived(::mqtt::const_message_ptr message) override {
    Received received{.topic = message->get_topic(),
                      .payload = message->get_payload_str(),
                      .qos = message->get_qos(),
                      .retained = message->is_retained()};
    const auto& properties = message->get_properties();
    constexpr auto correlation = ::mqtt::property::CORRELATION_DATA;
    if (properties.contains(correlation)) {
      received.correlation_data = ::mqtt::get<std::string>(properties, correlation);
    }
    const std::lock_guard lock(mutex);
    messages.push_back(std::move(received));
    ++count;
    changed.notify_all();
  }

  void publish(::mqtt::const_message_ptr message) {
    auto token = paho.publish(std::move(message));
    const std::lock_guard lock(mutex);
    published.push_back(std::move(token));
  }

 private:
  const unsigned short port_;

 public:
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Received> messages;
  std::size_t count = 0;
  std::vector<::mqtt::delivery_token_ptr> published;
  ::mqtt::async_client paho;  ///< last: destroyed, and with it every callback ended, first
};

MqttDevice::MqttDevice(Options options) : client_(std::make_unique<Client>(options)) {}

MqttDevice::~MqttDevice() {
  try {
    client_->paho.disconnect()->wait_for(std::chrono::seconds(1));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the broker has gone first
  }
}

void MqttDevice::subscribe(const std::string& filter, int qos) {
  const auto token = client_->paho.subscribe(filter, qos);
  if (!token->wait_for(patience)) throw std::runtime_error("no answer to SUBSCRIBE");
  const auto response = token->get_subscribe_response();
  for (const auto reason : response.get_reason_codes()) {
    if (static_cast<int>(reason) >= 0x80) throw std::runtime_error("refused: " + filter);
  }
}

void MqttDevice::publish(const std::string& topic, std::string_view payload, int qos,
                         bool retained) {
  client_->publish(::mqtt::make_message(topic, payload.data(), payload.size(), qos, retained));
}

void MqttDevice::publish(const std::string& topic, std::string_view payload,
                         const Properties& properties) {
  ::mqtt::properties list;
  if (!properties.response_topic.empty()) {
    list.add({::mqtt::property::RESPONSE_TOPIC, properties.response_topic});
  }
  if (!properties.correlation_data.empty()) {
    list.add({::mqtt::property::CORRELATION_DATA, properties.correlation_data});
  }
  client_->publish(std::make_shared<const ::mqtt::message>(topic, payload.data(), payload.size(), 1,
                                                           false, list));
}

bool MqttDevice::flush(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::vector<::mqtt::delivery_token_ptr> tokens;
  {
    const std::lock_guard lock(client_->mutex);
    tokens = std::exchange(client_->published, {});
  }
  return std::ranges::all_of(tokens, [&](const auto& token) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    return token->wait_for(std::max(left, std::chrono::milliseconds(1)));
  });
}

std::vector<MqttDevice::Received> MqttDevice::received() const {
  const std::lock_guard lock(client_->mutex);
  return {client_->messages.begin(), client_->messages.end()};
}

std::size_t MqttDevice::count() const {
  const std::lock_guard lock(client_->mutex);
  return client_->count;
}

bool MqttDevice::wait_for(std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(client_->mutex);
  return client_->changed.wait_for(lock, limit, [&] { return client_->count >= count; });
}

std::optional<MqttDevice::Received> MqttDevice::next(std::chrono::milliseconds limit) {
  return take([](const Received&) { return true; }, limit);
}

std::optional<MqttDevice::Received> MqttDevice::take(const Predicate& predicate,
                                                     std::chrono::milliseconds limit) {
  std::unique_lock lock(client_->mutex);
  auto& messages = client_->messages;
  auto found = messages.end();
  const auto look = [&] {
    found = std::ranges::find_if(messages, predicate);
    return found != messages.end();
  };
  if (!client_->changed.wait_for(lock, limit, look)) return std::nullopt;
  auto message = std::move(*found);
  messages.erase(found);
  return message;
}

}  // namespace jobs_bridge::testing_support
