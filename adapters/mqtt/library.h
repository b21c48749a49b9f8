#pragma once

namespace jobs_bridge::mqtt {

/// The MQTT library. See client.h for what is needed of one.
enum class Library { paho, mosquitto };

/// Whether this build includes it, according to CMake's JOBS_BRIDGE_MQTT_LIBRARY.
constexpr bool is_built(Library library) {
  return library == Library::paho ? JOBS_BRIDGE_HAS_PAHO : JOBS_BRIDGE_HAS_MOSQUITTO;
}

constexpr Library default_library = is_built(Library::paho) ? Library::paho : Library::mosquitto;

}  // namespace jobs_bridge::mqtt
