#include <MQTTAsync.h>
#include <MQTTReasonCodes.h>

#include "adapters/mqtt/reason.h"

namespace jobs_bridge::mqtt {

std::string name_of_reason(int reason) {
  const char* name = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(reason));
  return name != nullptr ? name : "";
}

}  // namespace jobs_bridge::mqtt
