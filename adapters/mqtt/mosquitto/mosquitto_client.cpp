#include "adapters/mqtt/mosquitto/mosquitto_client.h"

#include <mqtt_protocol.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "adapters/mqtt/mosquitto/properties.h"
#include "adapters/mqtt/packet_size_guard.h"
#include "adapters/mqtt/reason.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr int at_least_once = 1;

/// A topic filter that we do not use.
std::string unused_filter(const std::vector<std::string>& filters) {
  std::string filter = "jobs-bridge/unused";
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
    // libmosquitto interprets any EAGAIN as the socket's, and stops reading: its own writes to a
    // pipe that is never emptied leave one behind, and ours may too.
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

std::unique_ptr<Client> make_mosquitto_client(Client::Options options, const std::string& address,
                                              Client::Events& events) {
  return std::make_unique<MosquittoClient>(options, address, events);
}

MosquittoClient::MosquittoClient(Client::Options options, const std::string& address,
                                 Client::Events& events)
    : settings_(options.settings),
      mqtt_5_(options.settings.protocol == BrokerSettings::Protocol::v5),
      filters_(options.filters),
      address_(address),
      events_(events),
      handle_(make_handle(options.settings, options.clean, this)),
      loop_(*handle_, options.loop, options.settings, unused_filter(options.filters),
            [this](std::optional<BrokerFault> fault) { ended(std::move(fault)); }) {
  mosquitto_connect_v5_callback_set(handle_.get(), Callbacks::on_connect);
  mosquitto_message_v5_callback_set(handle_.get(), Callbacks::on_message);
  mosquitto_publish_v5_callback_set(handle_.get(), Callbacks::on_publish);
  mosquitto_subscribe_v5_callback_set(handle_.get(), Callbacks::on_subscribe);
  mosquitto_disconnect_v5_callback_set(handle_.get(), Callbacks::on_disconnect);
}

Client::ConnectResult MosquittoClient::connect(const std::function<bool()>& stopping) {
  const auto limit = std::chrono::steady_clock::now() + settings_.connect_timeout;
  const auto begun = begin_to_connect(*handle_, settings_, address_);
  if (!begun) return {.fault = begun.error()};
  if (!*begun) return {};
  loop_.start();
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, 50ms, [&] { return connect_result_.has_value(); })) {
    lock.unlock();
    if (stopping()) return {.fault = BrokerFault{BrokerFault::Kind::interrupted}};
    if (std::chrono::steady_clock::now() > limit) {
      return {.fault = no_answer_within(settings_.connect_timeout)};
    }
    lock.lock();
  }
  return *connect_result_;
}

void MosquittoClient::connected(int code, bool session_present,
                                const mosquitto_property* properties) {
  ConnectResult result;
  if (code == 0) {
    result.accepted = connack_of(session_present, properties);
    loop_.accepted();
  } else {
    result.fault = fault_of_connack(code, words_in(properties));
  }
  const std::lock_guard lock(mutex_);
  connect_result_ = std::move(result);
  changed_.notify_all();
}

std::optional<std::string> MosquittoClient::subscribe() {
  {
    const std::lock_guard lock(requests_);
    asked_.clear();
    answers_.clear();
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
  std::vector<Client::SubscriptionResult> answers;
  {
    const std::lock_guard lock(requests_);
    auto request = asked_.extract(id);
    if (!request) return;
    answers_.push_back({std::move(request.mapped()), reason, words_in(properties)});
    if (!asked_.empty()) return;
    answers = std::exchange(answers_, {});
  }
  events_.subscribed(std::move(answers));
}

Sender::Link::SendResult MosquittoClient::publish(Outbox::Sequence sequence,
                                                  const Publication& publication, int qos,
                                                  Refusal& why) noexcept {
  using SendResult = Sender::Link::SendResult;
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
      return is_final(error) ? SendResult::unsendable : SendResult::link_failed;
    }
    loop_.count_queued();  // send_gathered() follows
    return SendResult::accepted;
  } catch (const std::exception& error) {
    why.detail = error.what();
    return SendResult::link_failed;
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
  if (is_failure(reason)) {
    events_.refused(sequence, refusal_of(reason, quote_words(words_in(properties).reason_string)));
  } else if (reason == no_matching_subscribers) {
    events_.unmatched(sequence);
  } else {
    events_.acknowledged(sequence);
  }
}

void MosquittoClient::arrived(const mosquitto_message& message,
                              const mosquitto_property* properties) {
  auto arrived = message_of(message, properties);
  arrived.redelivered = loop_.is_redelivered();
  events_.arrived(std::move(arrived));
  // libmosquitto has queued its acknowledgement before it called us.
  if (message.qos > 0) loop_.count_queued();
}

void MosquittoClient::disconnected(int reason) {
  // An error of libmosquitto's own has a small number, and is what its function returns.
  if (reason != 0 && !is_failure(reason)) return;
  const std::lock_guard lock(mutex_);
  // After the broker's DISCONNECT it calls with 0 for each packet that it can no longer send.
  if (disconnect_) return;
  // libmosquitto 2.0 does not pass on the broker's text: it drops it before this callback.
  disconnect_ = fault_of_disconnect(reason);
  disconnect_evidence_ = evidence_of_disconnect(reason);
}

void MosquittoClient::ended(std::optional<BrokerFault> fault) {
  Evidence evidence{};
  {
    const std::lock_guard lock(mutex_);
    // It broke without a reason, or we have found one, such as that nothing was received any more.
    const bool malformed = fault && fault->kind == BrokerFault::Kind::malformed;
    evidence = malformed ? Evidence::none : fault ? Evidence::weak : Evidence::strong;
    if (disconnect_) {
      fault = disconnect_;
      evidence = disconnect_evidence_;
    }
    if (!connect_result_) {
      connect_result_ = ConnectResult{};
      // Of what else libmosquitto calls malformed a second look tells more.
      if (loop_.has_zero_limit()) connect_result_->fault = std::move(fault);
      changed_.notify_all();
      return;
    }
  }
  // By the thread that has read.
  const auto read = last_read();
  if (read.outcome == LastRead::Outcome::too_large) events_.too_large(read.asked);
  events_.lost(std::move(fault).value_or(BrokerFault{BrokerFault::Kind::broken}), evidence);
}

void MosquittoClient::disconnect() noexcept {
  try {
    loop_.send_disconnect(500ms);
  } catch (const std::exception&) {
    // The connection then ends without it, when this is destroyed.
  }
}

}  // namespace jobs_bridge::mqtt
