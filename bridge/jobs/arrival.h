#pragma once

#include <string_view>

namespace jobs_bridge {

/// The MQTT 5 user property in which our plugin for mosquitto says when the broker took a request
/// from its device: milliseconds since 1970-01-01 UTC in decimal, by the clock of the broker's
/// machine. There is at most one on a request that passed the plugin, which removes what a device
/// itself sends under this name. Without the plugin it is missing or whatever the device says, so
/// it can be trusted only as far as the broker's set-up is known.
constexpr std::string_view arrival_property = "jobs-bridge-received";

}  // namespace jobs_bridge
