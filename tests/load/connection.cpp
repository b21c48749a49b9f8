#include "tests/load/connection.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace jobs_load {
namespace {

constexpr int keep_alive_seconds = 60;
/// How long the broker keeps the session of a connection that is made again.
constexpr std::uint32_t session_seconds = 3600;
constexpr int connect_limit_milliseconds = 10000;
constexpr int first_failure = 0x80;
/// So few that a SUBSCRIBE stays far below any limit on packets.
constexpr std::size_t filters_at_once = 200;

void require(int code, const std::string& what) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(what + ": " + mosquitto_strerror(code));
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

struct Library {
  Library() { mosquitto_lib_init(); }
  ~Library() { mosquitto_lib_cleanup(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

}  // namespace

class Connection::Client {
 public:
  Client(const Broker& broker, const std::string& client_id, WhenLost when_lost,
         OnMessage on_message)
      : on_message_(std::move(on_message)),
        version_5_(broker.version_5),
        reconnects_(when_lost == WhenLost::reconnect),
        handle_(mosquitto_new(client_id.c_str(), !reconnects_, this), mosquitto_destroy) {
    if (!handle_) throw std::runtime_error("mosquitto_new: out of memory");
    set_up(broker);
    set_callbacks();
    connect(broker);
  }
  ~Client() {
    mosquitto_disconnect(handle_.get());
    mosquitto_loop_write(handle_.get(), 1);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void subscribe(const std::vector<std::string>& filters, int qos) {
    filters_ = filters;
    qos_ = qos;
    subscribe();
  }

  void publish(const std::string& topic, std::string_view payload, int qos) {
    // What could not be sent at QoS 1 is kept by the library, and sent once it is connected again.
    check(mosquitto_publish(handle_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                            payload.data(), qos, false),
          "publish");
  }

  void ready(bool readable, bool writable) {
    if (readable) check(mosquitto_loop_read(handle_.get(), 1), "the broker is gone");
    if (writable && socket() >= 0) {
      check(mosquitto_loop_write(handle_.get(), 1), "the broker is gone");
    }
    if (!fault_.empty()) throw std::runtime_error(fault_);
  }

  void tend() {
    if (reconnects_ && socket() < 0) {
      // A broker that is not back yet is tried again the next time.
      forget_connection();
      mosquitto_reconnect(handle_.get());
      return;
    }
    check(mosquitto_loop_misc(handle_.get()), "the broker is gone");
  }

  mosquitto* handle() const { return handle_.get(); }
  int socket() const { return mosquitto_socket(handle_.get()); }
  std::size_t unanswered() const { return unanswered_; }
  bool usable() const { return connected_ && unanswered_ == 0; }

 private:
  void check(int code, const char* what) {
    if (code == MOSQ_ERR_SUCCESS) return;
    if (!reconnects_) require(code, what);
    forget_connection();
  }

  void forget_connection() {
    connected_ = false;
    unanswered_ = 0;
  }

  void subscribe() {
    const auto& filters = filters_;
    for (std::size_t begin = 0; begin < filters.size(); begin += filters_at_once) {
      const auto count = std::min(filters_at_once, filters.size() - begin);
      std::vector<char*> some;
      for (std::size_t i = 0; i < count; ++i) {
        some.push_back(const_cast<char*>(filters[begin + i].c_str()));  // a C interface: only read
      }
      require(mosquitto_subscribe_multiple(handle_.get(), nullptr, static_cast<int>(count),
                                           some.data(), qos_, 0, nullptr),
              "subscribe");
      ++unanswered_;
    }
  }

  void set_up(const Broker& broker) {
    auto* handle = handle_.get();
    mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION,
                         version_5_ ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
    mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
    // What limits us is to be the broker, not we; and a broker drops what a receiver with a small
    // Receive Maximum does not take at once.
    mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, 65535);
    mosquitto_int_option(handle, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
    if (!broker.username.empty()) {
      require(mosquitto_username_pw_set(handle, broker.username.c_str(), or_null(broker.password)),
              "user name");
    }
    if (!broker.tls) return;
    const auto* directory = broker.ca_file.empty() ? "/etc/ssl/certs" : nullptr;
    require(mosquitto_tls_set(handle, or_null(broker.ca_file), directory,
                              or_null(broker.certificate_file), or_null(broker.private_key_file),
                              nullptr),
            "TLS");
  }

  void set_callbacks() {
    auto* handle = handle_.get();
    mosquitto_connect_v5_callback_set(
        handle, [](mosquitto*, void* self, int code, int, const mosquitto_property*) {
          static_cast<Client*>(self)->connected(code);
        });
    mosquitto_subscribe_callback_set(
        handle, [](mosquitto*, void* self, int, int count, const int* granted) {
          static_cast<Client*>(self)->subscribed(count, granted);
        });
    mosquitto_message_callback_set(
        handle, [](mosquitto*, void* self, const mosquitto_message* message) {
          static_cast<Client*>(self)->on_message_(message->topic,
                                                  {static_cast<const char*>(message->payload),
                                                   static_cast<std::size_t>(message->payloadlen)});
        });
  }

  void connect(const Broker& broker) {
    const auto where = broker.host + ":" + std::to_string(broker.port);
    mosquitto_property* properties = nullptr;
    if (reconnects_ && version_5_) {
      mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, session_seconds);
    }
    const int code = mosquitto_connect_bind_v5(handle_.get(), broker.host.c_str(), broker.port,
                                               keep_alive_seconds, nullptr, properties);
    mosquitto_property_free_all(&properties);
    require(code, "cannot connect to " + where);
    while (!connected_ && fault_.empty()) {
      pollfd polled{
          mosquitto_socket(handle_.get()),
          static_cast<short>(POLLIN | (mosquitto_want_write(handle_.get()) ? POLLOUT : 0)), 0};
      if (poll(&polled, 1, connect_limit_milliseconds) == 0) {
        throw std::runtime_error(where + " does not answer CONNECT");
      }
      require(mosquitto_loop_read(handle_.get(), 1), where);
      require(mosquitto_loop_write(handle_.get(), 1), where);
    }
    if (!fault_.empty()) throw std::runtime_error(where + ": " + fault_);
  }

  void connected(int code) {
    if (code == 0) {
      connected_ = true;
      connected_before_ = true;
      // A broker that was killed may not know the session, nor what it had subscribed to.
      subscribe();
    } else if (!reconnects_ || !connected_before_) {
      fault_ = std::string("the broker refuses us: ") +
               (version_5_ ? mosquitto_reason_string(code) : mosquitto_connack_string(code));
    }
  }

  void subscribed(int count, const int* granted) {
    --unanswered_;
    if (std::any_of(granted, granted + count, [](int qos) { return qos >= first_failure; })) {
      fault_ = "the broker refuses a subscription";
    }
  }

  const OnMessage on_message_;
  const bool version_5_;
  const bool reconnects_;
  const std::unique_ptr<mosquitto, void (*)(mosquitto*)> handle_;
  std::vector<std::string> filters_;
  int qos_ = 0;
  bool connected_ = false;
  bool connected_before_ = false;
  std::size_t unanswered_ = 0;
  std::string fault_;
};

Connection::Connection(const Broker& broker, const std::string& client_id, WhenLost when_lost,
                       OnMessage on_message) {
  static const Library library;
  client_ = std::make_unique<Client>(broker, client_id, when_lost, std::move(on_message));
}

Connection::~Connection() = default;

void Connection::subscribe(const std::vector<std::string>& filters, int qos) {
  client_->subscribe(filters, qos);
}
std::size_t Connection::unanswered() const {
  return client_->unanswered();
}
void Connection::publish(const std::string& topic, std::string_view payload, int qos) {
  client_->publish(topic, payload, qos);
}
bool Connection::usable() const {
  return client_->usable();
}
int Connection::socket() const {
  return client_->socket();
}
bool Connection::wants_to_write() const {
  return mosquitto_want_write(client_->handle());
}
void Connection::ready(bool readable, bool writable) {
  client_->ready(readable, writable);
}
void Connection::tend() {
  client_->tend();
}

}  // namespace jobs_load
