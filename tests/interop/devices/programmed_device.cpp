#include "tests/interop/devices/programmed_device.h"

#include <mosquitto.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace jobs_bridge::testing_support {
namespace {

using nlohmann::json;

bool matches(const std::string& filter, const std::string& topic) {
  bool result = false;
  return mosquitto_topic_matches_sub(filter.c_str(), topic.c_str(), &result) == MOSQ_ERR_SUCCESS &&
         result;
}

const json* found(const json& message, const std::string& pointer) {
  const json::json_pointer path(pointer);
  return message.contains(path) ? &message.at(path) : nullptr;
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// The bytes that encode this remaining length.
std::size_t bytes_for(std::size_t length) {
  std::size_t bytes = 1;
  for (; length >= 128; length /= 128) ++bytes;
  return bytes;
}

/// Of one that is text or data; 0: it is not there.
std::size_t bytes_of_property(const std::string& value) {
  return value.empty() ? 0 : 1 + 2 + value.size();
}

}  // namespace

ProgrammedDevice::ProgrammedDevice(DeviceProgram program, unsigned short port, std::string thing)
    : program_(std::move(program)), port_(port), thing_(std::move(thing)) {}

void ProgrammedDevice::start() {
  connection_ =
      std::make_unique<MqttDevice>(MqttDevice::Options{.port = port_,
                                                       .version_5 = program_.mqtt_5,
                                                       .client_id = filled(program_.client_id, {}),
                                                       .persistent = !program_.clean_session});
  run(program_.starts, {});
}

void ProgrammedDevice::work_until_idle() {
  const auto idle_topic = full_topic(program_.hears_idle_on);
  while (true) {
    std::optional<Received> received;
    if (!waiting_.empty()) {
      received = std::move(waiting_.front());
      waiting_.pop_front();
    } else {
      received = receive(wait_limit);
    }
    if (!received) fail("nothing comes any more");
    if (received->topic == idle_topic) {
      const auto notice = json::parse(received->payload, nullptr, false);
      const auto* jobs = found(notice, "/jobs");
      if (jobs != nullptr ? jobs->empty() : !notice.contains("execution")) return;
    }
    react(*received);
  }
}

std::vector<std::string> ProgrammedDevice::published(const std::string& topic) const {
  const auto found = published_.find(topic);
  return found == published_.end() ? std::vector<std::string>() : found->second;
}

void ProgrammedDevice::run(const std::vector<Step>& steps, const json& message) {
  for (const auto& next : steps) {
    std::visit([&](const auto& kind) { step(kind, message); }, next);
  }
}

void ProgrammedDevice::step(const Subscribe& subscribe, const json& message) {
  const auto filter = full_topic(filled(subscribe.filter, message));
  note("subscribe " + filter);
  connection_->subscribe(filter, subscribe.qos);
}

void ProgrammedDevice::step(const Publish& publish, const json& message) {
  const auto topic = filled(publish.topic, message);
  const auto tokens_before = last_token_;
  const auto payload = filled(publish.payload, message);
  if (last_token_ != tokens_before) tokens_[topic].push_back(json::parse(payload)["clientToken"]);
  published_[topic].push_back(payload);
  note("publish   " + full_topic(topic) + " " + payload);
  connection_->publish(full_topic(topic), payload, publish.qos);
}

void ProgrammedDevice::step(const Await& await, const json& message) {
  const auto topic = full_topic(filled(await.topic, message));
  const auto end = std::chrono::steady_clock::now() + await.limit;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    auto received = left.count() > 0 ? receive(left) : std::nullopt;
    if (!received) fail("nothing on " + topic);
    if (received->topic == topic && answers_a_token(*received, topic)) return;
    waiting_.push_back(*std::move(received));
  }
}

void ProgrammedDevice::step(const Restart&, const json&) {
  // What it has said is to arrive; what it has not taken notice of is gone.
  connection_->flush();
  connection_.reset();
  waiting_.clear();
  note("restart");
  start();
}

std::optional<MqttDevice::Received> ProgrammedDevice::receive(std::chrono::milliseconds limit) {
  auto received = connection_->next(limit);
  if (!received) return std::nullopt;
  note("receive   " + received->topic + " " + received->payload);
  if (overflows(*received)) fail("larger than its buffer");
  for (const auto& filter : program_.gives_up_on) {
    if (matches(full_topic(filter), received->topic)) fail("it gives up");
  }
  return received;
}

bool ProgrammedDevice::overflows(const Received& message) const {
  if (program_.largest_packet == 0) return false;
  const std::size_t packet_identifier = message.qos > 0 ? 2 : 0;
  // Their length, and what of them a device can be told.
  const std::size_t properties = program_.mqtt_5 ? 1 + bytes_of_property(message.correlation_data) +
                                                       bytes_of_property(message.content_type)
                                                 : 0;
  const std::size_t length =
      2 + message.topic.size() + packet_identifier + properties + message.payload.size();
  return 1 + bytes_for(length) + length > program_.largest_packet;
}

void ProgrammedDevice::react(const Received& received) {
  const auto message = json::parse(received.payload, nullptr, false);
  if (!message.is_object()) return;
  for (const auto& reaction : program_.reacts) {
    if (!matches(full_topic(reaction.topic), received.topic)) continue;
    const auto* wanted = found(message, reaction.wants);
    if (wanted == nullptr) continue;
    if (!reaction.value.empty() && text_of(*wanted) != reaction.value) continue;
    if (!reaction.wants_not.empty() && found(message, reaction.wants_not) != nullptr) continue;
    for (const auto& pointer : reaction.reads) {
      if (found(message, pointer) == nullptr) fail("it falls over for want of " + pointer);
    }
    run(reaction.does, message);
    return;
  }
}

bool ProgrammedDevice::answers_a_token(const Received& received, const std::string& topic) {
  const auto request =
      topic.substr(full_topic("").size(), topic.rfind('/') - full_topic("").size());
  const auto asked = tokens_.find(request);
  if (asked == tokens_.end() || asked->second.empty()) return true;
  const auto token = json::parse(received.payload, nullptr, false).value("clientToken", "");
  return std::erase(asked->second, token) > 0;
}

std::string ProgrammedDevice::filled(const std::string& text, const json& message) {
  std::string result;
  std::size_t done = 0;
  const auto replace = [&](std::size_t begin, std::size_t length, const std::string& with) {
    result += text.substr(done, begin - done) + with;
    done = begin + length;
  };
  for (auto open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
    const auto close = text.find('}', open);
    if (close == std::string::npos) break;
    auto name = text.substr(open + 1, close - open - 1);
    if (name == "thing") {
      replace(open, close + 1 - open, thing_);
    } else if (name == "token") {
      replace(open, close + 1 - open, "token" + std::to_string(++last_token_));
    } else if (name.starts_with('/')) {
      const bool next = name.ends_with("+1");
      if (next) name.erase(name.size() - 2);
      const auto* value = found(message, name);
      if (value == nullptr) fail("it falls over for want of " + name);
      replace(open, close + 1 - open,
              next ? std::to_string(value->get<std::int64_t>() + 1) : text_of(*value));
    }
  }
  return result + text.substr(done);
}

std::string ProgrammedDevice::full_topic(const std::string& topic) const {
  return "$aws/things/" + thing_ + "/jobs/" + topic;
}

void ProgrammedDevice::fail(const std::string& why) const {
  throw ProgramFailure(program_.name + ": " + why + "\n" + story_);
}

}  // namespace jobs_bridge::testing_support
