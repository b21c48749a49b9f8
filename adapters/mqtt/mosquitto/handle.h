#pragma once

#include <mosquitto.h>

#include <memory>
#include <optional>
#include <string>

#include "adapters/mqtt/broker_connection.h"

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

/// Begins to connect to a literal address and queues CONNECT; does not block. Says what went wrong.
std::optional<std::string> begin_to_connect(mosquitto& handle, const BrokerSettings& settings,
                                            const std::string& address);

/// libmosquitto's word for one of its errors, or the system's where that is the cause (errno).
std::string text_of_error(int error);

}  // namespace jobs_bridge::mqtt
