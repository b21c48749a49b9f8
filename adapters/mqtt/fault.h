#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace jobs_bridge::mqtt {

/// A reason code of MQTT 5, or a return code of MQTT 3.1.1's SUBACK, in words.
std::string describe_reason(int reason);

/// What the MQTT library calls a reason code; empty: it knows none of that number.
std::string name_of_reason(int reason);

/// Why the broker does not take our CONNECT, for an operator: from the code in its CONNACK, which
/// is below 128 in MQTT 3.1.1 and above in MQTT 5.
std::string describe_connack(int code);

/// The broker took our CONNECT and was silent.
std::string no_answer_within(std::chrono::seconds limit);

/// What a broker says in its own words besides a reason code (MQTT 5, Reason String), to be put
/// behind ours: ` ("...")`, or nothing where it says nothing. Anybody's words: of them at most 256
/// bytes are kept, and no control character or quotation mark.
std::string quote_reason_string(std::string_view words);

}  // namespace jobs_bridge::mqtt
