#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/bridge_process.h"
#include "tests/support/certificates.h"
#include "tests/support/jobs_endpoint.h"
#include "tests/support/mosquitto_broker.h"
#include "tests/support/mqtt_device.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {

/// How the parts of a site speak to each other.
struct Wires {
  bool mqtt_5 = true;
  bool broker_tls = false;
  bool endpoint_tls = false;
};

inline std::string to_string(const Wires& wires) {
  return std::string(wires.mqtt_5 ? "Mqtt5" : "Mqtt311") + (wires.broker_tls ? "Tls" : "Plain") +
         (wires.endpoint_tls ? "Https" : "Http");
}

inline std::vector<Wires> all_wires() {
  std::vector<Wires> all;
  for (const bool mqtt_5 : {true, false}) {
    for (const bool broker_tls : {false, true}) {
      for (const bool endpoint_tls : {false, true}) {
        all.push_back({mqtt_5, broker_tls, endpoint_tls});
      }
    }
  }
  return all;
}

inline std::string start_next_topic(const std::string& thing) {
  return "$aws/things/" + thing + "/jobs/start-next";
}

/// A start-next whose reply, if it starts a job, names that thing in its statusDetails, and in its
/// client token.
inline std::string asked_by(const std::string& thing) {
  return R"({"clientToken":")" + thing + R"(","statusDetails":{"asker":")" + thing + R"("}})";
}

/// A whole site: a real broker, the emulator, the bridge as a process, and a device that hears
/// every reply but the accepted ones to what names a job: tests subscribe to those themselves.
class Site {
 public:
  struct Options {
    Wires wires = {};
    /// Of the bridge, `section.key=value`.
    std::vector<std::string> settings = {};
    /// Of the emulator.
    std::vector<std::string> endpoint_arguments = {};
    MosquittoBroker::Options broker = {};
    /// The site's device is one that misses nothing, see MqttDevice::Options.
    bool persistent_device = false;
    /// Of the bridge, in addition to ours.
    Process::Environment environment = {};
    /// For the bridge, before its device connects.
    BridgeProcess::Wait wait = BridgeProcess::Wait::until_ready;
  };

  Site() : Site(Options{}) {}
  explicit Site(Options options)
      : wires_(options.wires), settings_(options.settings), authority_(directory_.path()) {
    if (wires_.broker_tls) options.broker.tls = certificate("broker");
    broker.emplace(std::move(options.broker));
    endpoint.emplace(JobsEndpoint::Options{
        .tls = wires_.endpoint_tls ? std::optional(certificate("endpoint")) : std::nullopt,
        .arguments = options.endpoint_arguments});
    bridge.emplace(bridge_settings(), options.wait, options.environment);
    device = connect_device("device", options.persistent_device);
    for (const auto* filter : {"$aws/things/+/jobs/+/accepted", "$aws/things/+/jobs/+/rejected",
                               "$aws/things/+/jobs/+/+/rejected"}) {
      device->subscribe(filter);
    }
  }

  /// What this site's bridge was started with; `more` counts before it.
  [[nodiscard]] std::vector<std::string> bridge_settings(
      const std::vector<std::string>& more = {}) const {
    std::vector<std::string> settings = {
        "broker.url=" + broker->url(), "endpoint.url=" + endpoint->url(),
        std::string("broker.protocol=") + (wires_.mqtt_5 ? "5" : "3.1.1")};
    if (wires_.broker_tls) settings.push_back("broker.ca_file=" + authority_.certificate_file());
    if (wires_.endpoint_tls) {
      settings.push_back("endpoint.ca_file=" + authority_.certificate_file());
    }
    settings.insert(settings.end(), settings_.begin(), settings_.end());
    settings.insert(settings.end(), more.begin(), more.end());
    return settings;
  }

  [[nodiscard]] const CertificateAuthority& authority() const { return authority_; }

  [[nodiscard]] std::unique_ptr<MqttDevice> connect_device(const std::string& client_id,
                                                           bool persistent = false) const {
    return std::make_unique<MqttDevice>(MqttDevice::Options{
        .port = broker->port(),
        .version_5 = wires_.mqtt_5,
        .ca_file = wires_.broker_tls ? authority_.certificate_file() : std::string(),
        .client_id = client_id,
        .persistent = persistent});
  }

  /// One request and the next reply; an empty reply (and a test failure) if none comes.
  MqttDevice::Received ask(const std::string& topic, std::string_view payload, int qos = 1) {
    device->publish(topic, payload, qos);
    auto reply = device->next();
    EXPECT_TRUE(reply) << "no reply to " << topic << "\n" << bridge->log();
    return reply.value_or(MqttDevice::Received{});
  }
  MqttDevice::Received start_next(const std::string& thing, std::string_view payload = "{}") {
    return ask(start_next_topic(thing), payload);
  }

  /// Whether all replies to what was asked before have come and been taken: what a further thing
  /// asks is answered, and nothing else has come.
  [[nodiscard]] testing::AssertionResult has_no_more_replies() {
    device->publish(start_next_topic("the-last"), "{}");
    const auto reply = device->next();
    if (!reply) return testing::AssertionFailure() << "no reply at all";
    if (reply->topic.starts_with(start_next_topic("the-last"))) return testing::AssertionSuccess();
    return testing::AssertionFailure() << reply->topic << " " << reply->payload;
  }

 private:
  [[nodiscard]] CertificateFiles certificate(const std::string& name) const {
    return authority_.issue(name, {.dns_names = {"localhost"}, .addresses = {"127.0.0.1"}});
  }

  const Wires wires_;
  const std::vector<std::string> settings_;
  TemporaryDirectory directory_;
  CertificateAuthority authority_;

 public:
  std::optional<MosquittoBroker> broker;
  std::optional<JobsEndpoint> endpoint;
  std::optional<BridgeProcess> bridge;
  std::unique_ptr<MqttDevice> device;
};

/// What a reply holds; null (and a failure) if it is no JSON.
inline nlohmann::json payload_of(const MqttDevice::Received& reply) {
  auto payload = nlohmann::json::parse(reply.payload, nullptr, false);
  EXPECT_FALSE(payload.is_discarded()) << reply.topic << " " << reply.payload;
  return payload.is_discarded() ? nlohmann::json() : payload;
}

inline std::string member_of(const MqttDevice::Received& reply, const char* name) {
  const auto payload = payload_of(reply);
  return payload.is_object() ? payload.value(name, "") : "";
}

/// The code of a rejected reply; empty (and a test failure) if it is not a rejection.
inline std::string code_of(const MqttDevice::Received& reply) {
  EXPECT_TRUE(reply.topic.ends_with("/rejected")) << reply.topic << " " << reply.payload;
  return member_of(reply, "code");
}

inline std::string message_of(const MqttDevice::Received& reply) {
  return member_of(reply, "message");
}

inline std::string token_of(const MqttDevice::Received& reply) {
  return member_of(reply, "clientToken");
}

}  // namespace jobs_bridge::testing_support
