#pragma once

#include <string>
#include <string_view>

namespace jobs_bridge::mqtt {

/// A reason code of MQTT 5, or a return code of MQTT 3.1.1's SUBACK, in words.
std::string describe_reason(int reason);

/// Why the broker does not take our CONNECT, for an operator: from the code in its CONNACK, which
/// is below 128 in MQTT 3.1.1 and above in MQTT 5.
std::string describe_connack(int code);

/// What a broker says in its own words besides a reason code (MQTT 5, Reason String), to be put
/// behind ours: ` ("...")`, or nothing where it says nothing. Anybody's words: of them at most 256
/// bytes are kept, and no control character or quotation mark.
///
/// Only a DISCONNECT's can be had. Paho C++ drops the properties of every request that fails, and
/// with them the words of a CONNACK, SUBACK or PUBACK that refuses.
std::string quote_reason_string(std::string_view words);

}  // namespace jobs_bridge::mqtt
