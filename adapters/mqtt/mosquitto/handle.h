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

/// A client with our settings, without its callbacks, whose `user` they will be given. Settings
/// must outlive it. Throws std::exception for settings that no connection can be made with.
/// `clean`: whether the broker is to forget what it keeps for us.
Handle make_handle(const BrokerSettings& settings, bool clean, void* user);

/// Begins to connect to a literal address and queues CONNECT; does not block. False: that failed at
/// once. Our certificate and key are loaded; what is wrong with them is the fault.
Result<bool, BrokerFault> begin_to_connect(mosquitto& handle, const BrokerSettings& settings,
                                           const std::string& address);

/// After what time without a message in either direction libmosquitto is to ping; it gives up after
/// as long again. Our CONNECT carries it.
std::chrono::seconds mosquitto_keep_alive(std::chrono::seconds keep_alive);

/// libmosquitto's word for one of its errors, or the system's where that is the cause (errno).
std::string text_of_error(int error);

}  // namespace jobs_bridge::mqtt
