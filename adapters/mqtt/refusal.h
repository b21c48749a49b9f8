#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bridge/jobs/rejection.h"

namespace jobs_bridge::mqtt {

/// Why a publication is not delivered.
struct Refusal {
  enum class Kind : std::uint8_t {
    malformed,        ///< no broker accepts it
    too_large,        ///< for this broker
    not_authorized,   ///< by its ACL
    invalid_topic,    ///< to this broker
    invalid_payload,  ///< to this broker
    quota_exceeded,   ///< for now
    unavailable,  ///< for now; also used by brokers that give no reason, so it can mean anything
    ends_connection,  ///< repeatedly: the broker closes every connection that carries it
  };
  Kind kind = Kind::unavailable;
  std::string detail;  ///< for the operator
};
inline constexpr std::size_t refusal_kind_count = 8;

/// Whether the same publication may succeed a little later.
bool is_transient(Refusal::Kind kind);

/// A word of [a-z_], for programs.
std::string_view to_string(Refusal::Kind kind);

/// The end of the sentence "the reply cannot be delivered: ..." for its device.
std::string_view words_for_device(Refusal::Kind kind);

/// What the operator can do about it.
std::string_view hint_of(Refusal::Kind kind);

/// The code that a device gets in place of an `accepted` reply. Device code endlessly repeats a
/// request that is answered with InternalError or RequestThrottled, and gives up on any other code;
/// so those two are used only if a repeat may succeed.
ErrorCode code_for_device(Refusal::Kind kind);

/// What the end of a connection tells about the publications that were not acknowledged.
enum class Evidence : std::uint8_t {
  none,     ///< the broker ended it for another reason, or we did
  weak,     ///< nothing was received any more
  strong,   ///< the broker closed it, possibly because of one of them
  certain,  ///< the broker states that it closed it because of one of them
};

/// The evidence in a DISCONNECT with this reason code (MQTT 5, section 3.14.2.1).
Evidence evidence_of_disconnect(int reason);

}  // namespace jobs_bridge::mqtt
