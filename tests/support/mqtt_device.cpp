#include "tests/support/mqtt_device.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "tests/support/sanitized.h"

namespace jobs_bridge::testing_support {
namespace {

using Lock = std::unique_lock<std::mutex>;
using PropertyList = std::unique_ptr<mosquitto_property, void (*)(mosquitto_property*)>;

constexpr int first_failure = 0x80;

void require(int code, const std::string& what) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(what + ": " + mosquitto_strerror(code));
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

PropertyList owned(mosquitto_property* list) {
  return {list, [](mosquitto_property* properties) { mosquitto_property_free_all(&properties); }};
}

std::string correlation_data_in(const mosquitto_property* list) {
  void* data = nullptr;
  std::uint16_t size = 0;
  mosquitto_property_read_binary(list, MQTT_PROP_CORRELATION_DATA, &data, &size, false);
  const std::unique_ptr<void, void (*)(void*)> owner(data, std::free);
  return {static_cast<const char*>(data), size};
}

std::string content_type_in(const mosquitto_property* list) {
  char* text = nullptr;
  mosquitto_property_read_string(list, MQTT_PROP_CONTENT_TYPE, &text, false);
  const std::unique_ptr<char, void (*)(void*)> owner(text, std::free);
  return text != nullptr ? text : "";
}

std::vector<std::pair<std::string, std::string>> user_properties_in(
    const mosquitto_property* list) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (; list != nullptr; list = mosquitto_property_next(list)) {
    if (mosquitto_property_identifier(list) != MQTT_PROP_USER_PROPERTY) continue;
    char* name = nullptr;
    char* value = nullptr;
    mosquitto_property_read_string_pair(list, MQTT_PROP_USER_PROPERTY, &name, &value, false);
    const std::unique_ptr<char, void (*)(void*)> name_owner(name, std::free);
    const std::unique_ptr<char, void (*)(void*)> value_owner(value, std::free);
    if (name != nullptr && value != nullptr) pairs.emplace_back(name, value);
  }
  return pairs;
}

PropertyList list_of(const MqttDevice::Properties& properties) {
  mosquitto_property* list = nullptr;
  const auto add_text = [&](int identifier, const std::string& text) {
    if (!text.empty()) mosquitto_property_add_string(&list, identifier, text.c_str());
  };
  add_text(MQTT_PROP_RESPONSE_TOPIC, properties.response_topic);
  add_text(MQTT_PROP_CONTENT_TYPE, properties.content_type);
  const auto& correlation = properties.correlation_data;
  if (!correlation.empty()) {
    mosquitto_property_add_binary(&list, MQTT_PROP_CORRELATION_DATA, correlation.data(),
                                  static_cast<std::uint16_t>(correlation.size()));
  }
  if (properties.expires_after) {
    mosquitto_property_add_int32(&list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                 static_cast<std::uint32_t>(properties.expires_after->count()));
  }
  for (const auto& [name, value] : properties.user_properties) {
    mosquitto_property_add_string_pair(&list, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
  }
  return owned(list);
}

}  // namespace

/// On libmosquitto: another implementation than the one under test, and one that sets TCP_NODELAY
/// and keeps to the broker's Receive Maximum without stopping.
class MqttDevice::Client {
 public:
  explicit Client(const Options& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void subscribe(const std::string& filter, int qos, std::chrono::milliseconds limit);
  void publish(const Received& message, const Properties& properties);

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Received> messages;
  std::size_t count = 0;
  std::size_t published = 0;
  std::size_t acknowledged = 0;

 private:
  void configure(const Options& options);
  static Client& self(void* context) { return *static_cast<Client*>(context); }
  static void connected(mosquitto*, void* context, int code, int, const mosquitto_property*);
  static void subscribed(mosquitto*, void* context, int id, int filters, const int* granted,
                         const mosquitto_property*);
  static void acknowledge(mosquitto*, void* context, int id, int reason, const mosquitto_property*);
  static void arrived(mosquitto*, void* context, const mosquitto_message* message,
                      const mosquitto_property* list);

  /// What the last CONNECT came to: 0, or why it failed. Of one thread at a time.
  std::optional<int> outcome_;
  std::map<int, int> granted_;  ///< by the SUBSCRIBE's id
  std::unique_ptr<mosquitto, void (*)(mosquitto*)> client_{nullptr, mosquitto_destroy};
};

MqttDevice::Client::Client(const Options& options) {
  static const int initialized = mosquitto_lib_init();
  require(initialized, "libmosquitto");
  client_.reset(mosquitto_new(options.client_id.c_str(), !options.persistent, this));
  if (!client_) throw std::runtime_error("mosquitto_new");
  configure(options);
  mosquitto_property* list = nullptr;
  if (options.version_5 && options.persistent) {
    mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600);
  }
  const auto properties = owned(list);
  require(mosquitto_connect_bind_v5(client_.get(), "localhost", options.port, 60, nullptr,
                                    properties.get()),
          "connecting");
  // Driven by hand until the broker has accepted it: the thread would retry endlessly.
  const auto end = std::chrono::steady_clock::now() + wait_limit;
  while (!outcome_) {
    require(mosquitto_loop(client_.get(), 100, 1), "connecting");
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("no answer to CONNECT");
  }
  if (*outcome_ != 0) throw std::runtime_error("the broker refuses " + options.client_id);
  require(mosquitto_loop_start(client_.get()), "a thread");
}

void MqttDevice::Client::configure(const Options& options) {
  auto* client = client_.get();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION,
                       options.version_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
  mosquitto_reconnect_delay_set(client, 1, 1, false);
  mosquitto_connect_v5_callback_set(client, connected);
  mosquitto_subscribe_v5_callback_set(client, subscribed);
  mosquitto_publish_v5_callback_set(client, acknowledge);
  mosquitto_message_v5_callback_set(client, arrived);
  if (!options.username.empty()) {
    require(mosquitto_username_pw_set(client, options.username.c_str(), options.password.c_str()),
            "password");
  }
  if (!options.ca_file.empty()) {
    require(mosquitto_tls_set(client, options.ca_file.c_str(), nullptr,
                              or_null(options.certificate_file), or_null(options.private_key_file),
                              nullptr),
            "TLS");
  }
}

MqttDevice::Client::~Client() {
  mosquitto_disconnect(client_.get());
  mosquitto_loop_stop(client_.get(), false);
}

void MqttDevice::Client::connected(mosquitto*, void* context, int code, int,
                                   const mosquitto_property*) {
  self(context).outcome_ = code;
}

void MqttDevice::Client::subscribed(mosquitto*, void* context, int id, int filters,
                                    const int* granted, const mosquitto_property*) {
  auto& client = self(context);
  const std::lock_guard lock(client.mutex);
  client.granted_[id] = filters == 1 ? granted[0] : first_failure;
  client.changed.notify_all();
}

void MqttDevice::Client::acknowledge(mosquitto*, void* context, int, int,
                                     const mosquitto_property*) {
  auto& client = self(context);
  const std::lock_guard lock(client.mutex);
  ++client.acknowledged;
  client.changed.notify_all();
}

void MqttDevice::Client::arrived(mosquitto*, void* context, const mosquitto_message* message,
                                 const mosquitto_property* list) {
  auto& client = self(context);
  // A bridge's test of the Jobs topics: most tests hear all things' replies, and wait for none of
  // it.
  if (std::string_view(message->topic).find("/~self-test~") != std::string_view::npos) return;
  Received received{.topic = message->topic,
                    .payload = {static_cast<const char*>(message->payload),
                                static_cast<std::size_t>(message->payloadlen)},
                    .qos = message->qos,
                    .retained = message->retain,
                    .correlation_data = correlation_data_in(list),
                    .content_type = content_type_in(list),
                    .user_properties = user_properties_in(list)};
  const std::lock_guard lock(client.mutex);
  client.messages.push_back(std::move(received));
  ++client.count;
  client.changed.notify_all();
}

void MqttDevice::Client::subscribe(const std::string& filter, int qos,
                                   std::chrono::milliseconds limit) {
  int id = 0;
  require(mosquitto_subscribe(client_.get(), &id, filter.c_str(), qos), "SUBSCRIBE");
  Lock lock(mutex);
  changed.wait_for(lock, limit * slowdown, [&] { return granted_.contains(id); });
  if (!granted_.contains(id) || granted_[id] >= first_failure) {
    throw std::runtime_error("not subscribed: " + filter);
  }
}

void MqttDevice::Client::publish(const Received& message, const Properties& properties) {
  const auto list = list_of(properties);
  {
    const std::lock_guard lock(mutex);
    ++published;
  }
  const int code = mosquitto_publish_v5(
      client_.get(), nullptr, message.topic.c_str(), static_cast<int>(message.payload.size()),
      message.payload.data(), message.qos, message.retained, list.get());
  // Without a connection it is kept, and sent over the next one.
  if (code != MOSQ_ERR_NO_CONN) require(code, "PUBLISH");
}

MqttDevice::MqttDevice(Options options) : client_(std::make_unique<Client>(options)) {}

MqttDevice::~MqttDevice() = default;

void MqttDevice::subscribe(const std::string& filter, int qos, std::chrono::milliseconds limit) {
  client_->subscribe(filter, qos, limit);
}

void MqttDevice::publish(const std::string& topic, std::string_view payload, int qos,
                         bool retained) {
  client_->publish(
      {.topic = topic, .payload = std::string(payload), .qos = qos, .retained = retained}, {});
}

void MqttDevice::publish(const std::string& topic, std::string_view payload,
                         const Properties& properties, int qos) {
  client_->publish({.topic = topic, .payload = std::string(payload), .qos = qos}, properties);
}

bool MqttDevice::flush(std::chrono::milliseconds limit) {
  Lock lock(client_->mutex);
  return client_->changed.wait_for(lock, limit * slowdown,
                                   [&] { return client_->acknowledged >= client_->published; });
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
  Lock lock(client_->mutex);
  return client_->changed.wait_for(lock, limit * slowdown, [&] { return client_->count >= count; });
}

std::optional<MqttDevice::Received> MqttDevice::next(std::chrono::milliseconds limit) {
  return take([](const Received&) { return true; }, limit);
}

std::optional<MqttDevice::Received> MqttDevice::take(const Predicate& predicate,
                                                     std::chrono::milliseconds limit) {
  Lock lock(client_->mutex);
  auto& messages = client_->messages;
  auto found = messages.end();
  const auto look = [&] {
    found = std::ranges::find_if(messages, predicate);
    return found != messages.end();
  };
  if (!client_->changed.wait_for(lock, limit * slowdown, look)) return std::nullopt;
  auto message = std::move(*found);
  messages.erase(found);
  return message;
}

}  // namespace jobs_bridge::testing_support
