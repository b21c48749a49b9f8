#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge {

/// A PUBLISH that the broker handed to us, as it came: nothing in it has been checked.
struct Message {
  std::string topic;
  std::string payload;
  /// True when the broker replays a stored message instead of passing one on.
  bool retained = false;
  /// MQTT 5 properties; empty where the message had none (always so over MQTT 3.1.1).
  std::string response_topic = {};
  std::string correlation_data = {};
  std::string content_type = {};
  /// The broker has handed it over before, and not had our acknowledgement.
  bool redelivered = false;
  /// How long it may have waited for us at most, at the broker or on its way: it came with what
  /// waited while we were away or stood still. Duration::max(): nobody knows.
  Duration kept_for = Duration::zero();
  /// What the broker's plugin says of that: the value of arrival_property. Empty: nothing, or
  /// nothing to rely on.
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
  /// Names the thing that it is for: name_hash() of its name. What is for one leaves in order.
  std::uint64_t thing = 0;

  enum class Kind : std::uint8_t {
    notification,  ///< or anything else that nobody waits for
    accepted,
    rejected,
  };
  /// What it is to its device, which waits for a reply: see replacement_of().
  Kind kind = Kind::notification;
  /// Of a reply: the topic is the request's Response Topic, for both kinds.
  bool to_response_topic = false;
  /// The journal's number of the update that this is the reply to, which is kept until the broker
  /// has taken it; 0: of none.
  std::uint64_t update = 0;
};

}  // namespace jobs_bridge
