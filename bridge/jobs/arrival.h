#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/time.h"

namespace jobs_bridge {

/// The MQTT 5 user property in which our plugin for mosquitto states when the broker received a
/// request from its device: milliseconds since 1970-01-01 UTC in decimal, by the clock of the
/// broker's machine. There is at most one on a request that passed the plugin, which removes what a
/// device itself sends under this name. Without the plugin it is missing or whatever the device
/// says, so it can be trusted only as far as the broker's set-up is known.
constexpr std::string_view arrival_property = "jobs-bridge-received";

/// 2020-01-01. A clock before that was not set yet: a gateway without a battery-backed clock boots
/// in 1970.
constexpr std::int64_t earliest_sane_clock = 1577836800;

/// How long ago that was, rounded up, as our clock shows whole seconds. Nothing if it cannot be
/// determined: the value is no such time, one of the clocks was not set, or they differ so much
/// that it would be in the future.
std::optional<Duration> age_of_arrival(std::string_view value, std::int64_t unix_seconds);

}  // namespace jobs_bridge
