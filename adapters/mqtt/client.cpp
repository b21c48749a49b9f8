#include "adapters/mqtt/client.h"

#include <stdexcept>

namespace jobs_bridge::mqtt {

std::unique_ptr<Client> Client::make(Options options, const std::string& address, Events& events) {
  const auto library = options.settings.library;
  if constexpr (is_built(Library::paho)) {
    if (library == Library::paho) return make_paho_client(options, address, events);
  }
  if constexpr (is_built(Library::mosquitto)) {
    if (library == Library::mosquitto) return make_mosquitto_client(options, address, events);
  }
  throw std::logic_error("an MQTT library that is not built into this program");
}

}  // namespace jobs_bridge::mqtt
