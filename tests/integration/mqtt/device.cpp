#include "tests/integration/mqtt/device.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace jobs_bridge::testing_support {
namespace {

using Properties = std::unique_ptr<mosquitto_property, void (*)(mosquitto_property*)>;

void require(int code, const std::string& what) {
  if (code != MOSQ_ERR_SUCCESS) {
    throw std::runtime_error(what + ": " + mosquitto_strerror(code));
  }
}

Properties owned(mosquitto_property* list) {
  return {list, [](mosquitto_property* properties) { mosquitto_property_free_all(&properties); }};
}

std::string text_property(const mosquitto_property* list, int identifier) {
  char* value = nullptr;
  if (mosquitto_property_read_string(list, identifier, &value, false) == nullptr) return {};
  const std::unique_ptr<char, void (*)(void*)> owner(value, std::free);
  return value;
}

std::string binary_property(const mosquitto_property* list, int identifier) {
  void* value = nullptr;
  std::uint16_t size = 0;
  if (mosquitto_property_read_binary(list, identifier, &value, &size, false) == nullptr) return {};
  const std::unique_ptr<void, void (*)(void*)> owner(value, std::free);
  return {static_cast<const char*>(value), size};
}

struct Library {
  Library() { mosquitto_lib_init(); }
};

}  // namespace

struct Device::Callbacks {
  static Device& self(void* context) { return *static_cast<Device*>(context); }

  static void connected(mosquitto* client, void* context, int code, int /*flags*/,
                        const mosquitto_property* /*list*/) {
    auto& device = self(context);
    const std::lock_guard lock(device.mutex_);
    if (device.connack_ && code == 0) {
      for (const auto& [filter, qos] : device.subscriptions_) {
        mosquitto_subscribe(client, nullptr, filter.c_str(), qos);
      }
    }
    device.connack_ = code;
    device.changed_.notify_all();
  }

  static void published(mosquitto* /*client*/, void* context, int /*id*/, int /*reason*/,
                        const mosquitto_property* /*list*/) {
    auto& device = self(context);
    const std::lock_guard lock(device.mutex_);
    ++device.acknowledged_;
    device.changed_.notify_all();
  }

  static void subscribed(mosquitto* /*client*/, void* context, int /*id*/, int count,
                         const int* granted, const mosquitto_property* /*list*/) {
    auto& device = self(context);
    const std::lock_guard lock(device.mutex_);
    device.suback_ = count == 1 ? granted[0] : 0x80;
    device.changed_.notify_all();
  }

  static void arrived(mosquitto* /*client*/, void* context, const mosquitto_message* message,
                      const mosquitto_property* list) {
    auto& device = self(context);
    Message received{.topic = message->topic,
                     .payload = {static_cast<const char*>(message->payload),
                                 static_cast<std::size_t>(message->payloadlen)},
                     .qos = message->qos,
                     .retained = message->retain,
                     .response_topic = text_property(list, MQTT_PROP_RESPONSE_TOPIC),
                     .correlation_data = binary_property(list, MQTT_PROP_CORRELATION_DATA)};
    const std::lock_guard lock(device.mutex_);
    device.messages_.push_back(std::move(received));
    ++device.count_;
    device.changed_.notify_all();
  }
};

Device::Device(Options options)
    : options_(std::move(options)), client_(nullptr, mosquitto_destroy) {
  static const Library library;
  client_.reset(mosquitto_new(options_.client_id.c_str(), !options_.lasting, this));
  if (!client_) throw std::runtime_error("mosquitto_new");
  auto* client = client_.get();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION,
                       options_.mqtt_5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
  mosquitto_reconnect_delay_set(client, 1, 1, false);
  mosquitto_connect_v5_callback_set(client, Callbacks::connected);
  mosquitto_publish_v5_callback_set(client, Callbacks::published);
  mosquitto_subscribe_v5_callback_set(client, Callbacks::subscribed);
  mosquitto_message_v5_callback_set(client, Callbacks::arrived);
  if (!options_.username.empty()) {
    require(mosquitto_username_pw_set(client, options_.username.c_str(), options_.password.c_str()),
            "password");
  }
  if (!options_.ca_file.empty()) {
    require(mosquitto_tls_set(client, options_.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr),
            "TLS");
  }
  mosquitto_property* list = nullptr;
  if (options_.mqtt_5) {
    mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                 options_.lasting ? 3600 : 0);
  }
  const auto properties = owned(list);
  require(
      mosquitto_connect_bind_v5(client, "localhost", options_.port, 60, nullptr, properties.get()),
      "connect");
  require(mosquitto_loop_start(client), "loop");
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return connack_.has_value(); }) || *connack_ != 0) {
    lock.unlock();
    mosquitto_loop_stop(client, true);
    throw std::runtime_error("refused by the broker");
  }
}

Device::~Device() {
  mosquitto_disconnect(client_.get());
  mosquitto_loop_stop(client_.get(), false);
}

void Device::subscribe(const std::string& filter, int qos) {
  std::unique_lock lock(mutex_);
  suback_.reset();
  subscriptions_.emplace_back(filter, qos);
  lock.unlock();
  require(mosquitto_subscribe(client_.get(), nullptr, filter.c_str(), qos), "subscribe");
  lock.lock();
  if (!changed_.wait_for(lock, patience, [&] { return suback_.has_value(); }) || *suback_ >= 0x80) {
    throw std::runtime_error("refused: " + filter);
  }
}

void Device::publish(const Message& message) {
  mosquitto_property* list = nullptr;
  if (!message.response_topic.empty()) {
    mosquitto_property_add_string(&list, MQTT_PROP_RESPONSE_TOPIC, message.response_topic.c_str());
  }
  const auto& correlation = message.correlation_data;
  if (!correlation.empty()) {
    mosquitto_property_add_binary(&list, MQTT_PROP_CORRELATION_DATA, correlation.data(),
                                  static_cast<std::uint16_t>(correlation.size()));
  }
  const auto properties = owned(list);
  {
    const std::lock_guard lock(mutex_);
    ++published_;
  }
  const int code = mosquitto_publish_v5(
      client_.get(), nullptr, message.topic.c_str(), static_cast<int>(message.payload.size()),
      message.payload.data(), message.qos, message.retained, properties.get());
  // Without a connection it is kept and sent later.
  if (code != MOSQ_ERR_NO_CONN) require(code, "publish");
}

bool Device::flush(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return acknowledged_ >= published_; });
}

std::size_t Device::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

bool Device::wait_for(std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return count_ >= count; });
}

std::optional<Device::Message> Device::next(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, limit, [&] { return !messages_.empty(); })) return std::nullopt;
  auto message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

std::vector<Device::Message> Device::take_all() {
  const std::lock_guard lock(mutex_);
  std::vector<Message> all(std::make_move_iterator(messages_.begin()),
                           std::make_move_iterator(messages_.end()));
  messages_.clear();
  return all;
}

}  // namespace jobs_bridge::testing_support
