#pragma once

#include <mosquitto.h>

#include <chrono>
#include <memory>
#include <string>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/broker_settings.h"
#include "bridge/result.h"

namespace jobs_bridge::mqtt {

struct DestroyMosquitto {
  void operator()(mosquitto* handle) const { mosquitto_destroy(handle); }
};
/// libmosquitto's client.
using Handle = std::unique_ptr<mosquitto, DestroyMosquitto>;

/// A client with our settings, without callbacks; `user` will be passed to them. Settings must
/// outlive it. Throws std::exception for settings that no connection can be made with. `clean`:
/// whether the broker is to discard our session.
Handle make_handle(const BrokerSettings& settings, bool clean, void* user);

/// Begins to connect to a literal address and queues CONNECT; does not block. False if that failed
/// at once. Loads our certificate and key; the fault tells what is wrong with them.
Result<bool, BrokerFault> begin_to_connect(mosquitto& handle, const BrokerSettings& settings,
                                           const std::string& address);

/// The time without a message in either direction after which libmosquitto pings; it gives up after
/// the same time again. Sent in our CONNECT.
std::chrono::seconds mosquitto_keep_alive(std::chrono::seconds keep_alive);

/// libmosquitto's text for one of its errors, or the system's if that is the cause (errno).
std::string text_of_error(int error);

}  // namespace jobs_bridge::mqtt
