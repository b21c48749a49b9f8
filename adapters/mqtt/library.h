#pragma once

namespace jobs_bridge::mqtt {

/// Who speaks MQTT. client.h says what of an MQTT library is needed.
enum class Library { paho, mosquitto };

/// Whether this build has it: CMake's JOBS_BRIDGE_MQTT_LIBRARY says.
constexpr bool is_built(Library library) {
  return library == Library::paho ? JOBS_BRIDGE_HAS_PAHO : JOBS_BRIDGE_HAS_MOSQUITTO;
}

constexpr Library default_library = is_built(Library::paho) ? Library::paho : Library::mosquitto;

}  // namespace jobs_bridge::mqtt
