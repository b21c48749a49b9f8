#include "adapters/mqtt/mosquitto/mosquitto_client.h"

#include <mqtt_protocol.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "adapters/mqtt/fault.h"
#include "adapters/mqtt/mosquitto/properties.h"
#include "adapters/mqtt/reads.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr int at_least_once = 1;

bool is_refusal(int reason) {
  return reason >= 0x80;
}

/// A topic filter that is none of ours.
std::string filter_of_nobody(const std::vector<std::string>& filters) {
  std::string filter = "jobs-bridge/nobody";
  while (std::ranges::find(filters, filter) != filters.end()) filter += '-';
  return filter;
}

/// Whether libmosquitto's answer to a publication means that it will never be sent.
bool is_final(int error) {
  return error == MOSQ_ERR_INVAL || error == MOSQ_ERR_MALFORMED_UTF8 ||
         error == MOSQ_ERR_PAYLOAD_SIZE || error == MOSQ_ERR_OVERSIZE_PACKET ||
         error == MOSQ_ERR_QOS_NOT_SUPPORTED;
}

}  // namespace

struct MosquittoClient::Callbacks {
  template <typename Action>
  static void guarded(void* client, Action&& action) noexcept {
    auto& self = *static_cast<MosquittoClient*>(client);
    try {
      action(self);
    } catch (const std::exception& error) {
      self.events_.failed(error.what());
    }
    // libmosquitto takes an EAGAIN for the socket's, and stops reading: its own writes to a pipe
    // that nobody empties leave one behind, and so may ours.
    errno = 0;
  }

  static void on_connect(mosquitto*, void* client, int code, int flags,
                         const mosquitto_property* properties) {
    guarded(client,
            [&](MosquittoClient& self) { self.connected(code, (flags & 1) != 0, properties); });
  }
  static void on_message(mosquitto*, void* client, const mosquitto_message* message,
                         const mosquitto_property* properties) {
    guarded(client, [&](MosquittoClient& self) { self.arrived(*message, properties); });
  }
  static void on_publish(mosquitto*, void* client, int id, int reason,
                         const mosquitto_property* properties) {
    guarded(client, [&](MosquittoClient& self) { self.published(id, reason, properties); });
  }
  static void on_subscribe(mosquitto*, void* client, int id, int count, const int* reasons,
                           const mosquitto_property* properties) {
    guarded(client, [&](MosquittoClient& self) {
      self.subscribed(id, count > 0 ? *reasons : 0x80, properties);
    });
  }
  static void on_disconnect(mosquitto*, void* client, int reason, const mosquitto_property*) {
    guarded(client, [&](MosquittoClient& self) { self.disconnected(reason); });
  }
};

std::unique_ptr<Session::Client> Session::Client::make(Wanted wanted, const std::string& address,
                                                       Events& events) {
  return std::make_unique<MosquittoClient>(wanted, address, events);
}

MosquittoClient::MosquittoClient(Session::Wanted wanted, const std::string& address,
                                 Session::Events& events)
    : settings_(wanted.settings),
      mqtt_5_(wanted.settings.protocol == BrokerSettings::Protocol::v5),
      filters_(wanted.filters),
      address_(address),
      events_(events),
      handle_(make_handle(wanted.settings, wanted.clean, this)),
      loop_(*handle_, wanted.loop, wanted.settings.keep_alive, filter_of_nobody(wanted.filters),
            [this](const std::string& cause) { ended(cause); }) {
  mosquitto_connect_v5_callback_set(handle_.get(), Callbacks::on_connect);
  mosquitto_message_v5_callback_set(handle_.get(), Callbacks::on_message);
  mosquitto_publish_v5_callback_set(handle_.get(), Callbacks::on_publish);
  mosquitto_subscribe_v5_callback_set(handle_.get(), Callbacks::on_subscribe);
  mosquitto_disconnect_v5_callback_set(handle_.get(), Callbacks::on_disconnect);
}

Session::Client::Outcome MosquittoClient::connect(const std::function<bool()>& stopping) {
  const auto limit = std::chrono::steady_clock::now() + settings_.connect_timeout;
  if (auto fault = begin_to_connect(*handle_, settings_, address_)) {
    return {.accepted = {}, .fault = {}, .detail = *std::move(fault)};
  }
  loop_.start();
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, 50ms, [&] { return outcome_.has_value(); })) {
    lock.unlock();
    if (stopping()) return {.accepted = {}, .fault = "stopped"};
    if (std::chrono::steady_clock::now() > limit) {
      return {.accepted = {}, .fault = no_answer_within(settings_.connect_timeout)};
    }
    lock.lock();
  }
  return *outcome_;
}

void MosquittoClient::connected(int code, bool session_present,
                                const mosquitto_property* properties) {
  Outcome outcome;
  if (code == 0) {
    outcome.accepted = connack_of(session_present, properties);
    loop_.accepted();
  } else {
    outcome.fault = describe_connack(code) + quote_reason_string(reason_string_in(properties));
  }
  const std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
  changed_.notify_all();
}

std::optional<std::string> MosquittoClient::subscribe() {
  {
    const std::lock_guard lock(requests_);
    asked_.clear();
    refused_.clear();
    for (const auto& filter : filters_) {
      int id = 0;
      // Over MQTT 5 requests that a device retained by mistake are not even sent to us.
      // libmosquitto leaves this out over 3.1.1.
      const int error = mosquitto_subscribe_v5(handle_.get(), &id, filter.c_str(), at_least_once,
                                               MQTT_SUB_OPT_SEND_RETAIN_NEVER, nullptr);
      if (error != MOSQ_ERR_SUCCESS) return text_of_error(error);
      asked_.emplace(id, filter);
    }
  }
  for (std::size_t i = 0; i < filters_.size(); ++i) loop_.count_queued();
  loop_.send_queued();
  return std::nullopt;
}

void MosquittoClient::subscribed(int id, int reason, const mosquitto_property* properties) {
  std::vector<Session::RefusedFilter> refused;
  {
    const std::lock_guard lock(requests_);
    auto request = asked_.extract(id);
    if (!request) return;
    if (is_refusal(reason)) {
      refused_.push_back(
          {std::move(request.mapped()),
           describe_reason(reason) + quote_reason_string(reason_string_in(properties))});
    }
    if (!asked_.empty()) return;
    refused = std::exchange(refused_, {});
  }
  events_.subscribed(std::move(refused));
}

Sender::Link::Handed MosquittoClient::publish(Outbox::Sequence sequence,
                                              const Publication& publication, int qos,
                                              Refusal& why) noexcept {
  using Handed = Sender::Link::Handed;
  try {
    const auto properties = mqtt_5_ ? properties_of(publication) : Properties();
    int error = MOSQ_ERR_SUCCESS;
    {
      const std::lock_guard lock(requests_);
      int id = 0;
      error =
          mosquitto_publish_v5(handle_.get(), &id, publication.topic.c_str(),
                               static_cast<int>(publication.payload.size()),
                               publication.payload.data(), qos, /*retain=*/false, properties.get());
      if (error == MOSQ_ERR_SUCCESS) under_way_.push_back({id, sequence});
    }
    if (error != MOSQ_ERR_SUCCESS) {
      why = {.kind = error == MOSQ_ERR_OVERSIZE_PACKET ? Refusal::Kind::too_large
                                                       : Refusal::Kind::malformed,
             .detail = text_of_error(error)};
      return is_final(error) ? Handed::never : Handed::later;
    }
    loop_.count_queued();  // send_gathered() follows
    return Handed::over;
  } catch (const std::exception& error) {
    why.detail = error.what();
    return Handed::later;
  }
}

void MosquittoClient::published(int id, int reason, const mosquitto_property* properties) {
  Outbox::Sequence sequence = 0;
  {
    const std::lock_guard lock(requests_);
    const auto found = std::ranges::find(under_way_, id, &UnderWay::id);
    if (found == under_way_.end()) return;
    sequence = found->sequence;
    under_way_.erase(found);
  }
  if (is_refusal(reason)) {
    events_.refused(sequence,
                    refusal_of(reason, quote_reason_string(reason_string_in(properties))));
  } else {
    events_.acknowledged(sequence);
  }
}

void MosquittoClient::arrived(const mosquitto_message& message,
                              const mosquitto_property* properties) {
  events_.arrived(message_of(message, properties));
  // libmosquitto has queued its acknowledgement before it called us.
  if (message.qos > 0) loop_.count_queued();
}

void MosquittoClient::disconnected(int reason) {
  // An error of libmosquitto's own has a small number, and is what its function returns.
  if (reason != 0 && !is_refusal(reason)) return;
  const std::lock_guard lock(mutex_);
  // With libmosquitto 2.0 the broker's own words cannot be had here: it drops them before.
  disconnect_cause_ = "the broker disconnected us: " + describe_reason(reason);
  disconnect_evidence_ = evidence_of_disconnect(reason);
}

void MosquittoClient::ended(const std::string& cause) {
  std::string words;
  Evidence evidence{};
  {
    const std::lock_guard lock(mutex_);
    // It broke without a word; or the library has one, which is that nothing came any more.
    const auto broke = cause.empty() ? Evidence::strong : Evidence::weak;
    evidence = disconnect_cause_.empty() ? broke : disconnect_evidence_;
    words = disconnect_cause_.empty() ? cause : disconnect_cause_;
    if (!outcome_) {
      outcome_ = Outcome{
          .accepted = {}, .fault = {}, .detail = words.empty() ? "the connection broke" : words};
      changed_.notify_all();
      return;
    }
  }
  // By the thread that has read.
  const auto read = last_read();
  if (read.outcome == LastRead::Outcome::too_large) events_.too_large(read.asked);
  events_.lost(words, evidence);
}

void MosquittoClient::disconnect() noexcept {
  try {
    loop_.say_goodbye(500ms);
  } catch (const std::exception&) {
    // The connection then ends without it, when this is destroyed.
  }
}

}  // namespace jobs_bridge::mqtt
