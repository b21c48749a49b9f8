#include <mosquitto.h>

#include "adapters/mqtt/reason.h"

namespace jobs_bridge::mqtt {

std::string name_of_reason(int reason) {
  std::string name = mosquitto_reason_string(reason);
  return name == "Unknown reason" ? std::string() : name;
}

}  // namespace jobs_bridge::mqtt
