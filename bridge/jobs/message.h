#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge {

/// A PUBLISH that the broker handed to us, as received: nothing in it has been checked.
struct Message {
  std::string topic;
  std::string payload;
  /// True when the broker replays a stored message instead of passing one on.
  bool retained = false;
  /// MQTT 5 properties; empty where the message had none (always so over MQTT 3.1.1).
  std::string response_topic = {};
  std::string correlation_data = {};
  std::string content_type = {};
  /// The broker has delivered it before and did not get our acknowledgement.
  bool redelivered = false;
  /// The longest time that it may have waited at the broker or on the way: not zero if it arrived
  /// with the messages that had queued up while the bridge was disconnected or suspended.
  /// Duration::max(): unknown.
  Duration kept_for = Duration::zero();
  /// The plugin's value of arrival_property, which tells that time. Empty if there is none, or if
  /// it cannot be relied on.
  std::string arrival = {};
  /// What was left of the Message Expiry Interval when the broker passed the message on.
  std::optional<Duration> expires_after = {};
};

/// A PUBLISH of ours: QoS 1, never retained (what AWS IoT does with replies and notifications).
struct Publication {
  std::string topic;
  std::string payload;
  /// MQTT 5 properties; empty: none is sent. Over MQTT 3.1.1 they are left out.
  std::string correlation_data = {};
  std::string content_type = {};
  /// The thing that it is for: name_hash() of its name. Publications for one thing are sent in
  /// order.
  std::uint64_t thing = 0;

  enum class Kind : std::uint8_t {
    notification,  ///< or anything else that no device waits for
    accepted,
    rejected,
  };
  /// What it means to its device, which may be waiting for it: see replacement_of().
  Kind kind = Kind::notification;
  /// Of a reply: the topic is the request's Response Topic, for both kinds.
  bool to_response_topic = false;
  /// The journal's number of the update that this is the reply to, which is kept until the broker
  /// has acknowledged the reply; 0: none.
  std::uint64_t update = 0;
};

}  // namespace jobs_bridge
