#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/jobs/message.h"
#include "bridge/jobs/rejection.h"

namespace jobs_bridge {

/// What is published in place of a reply that the broker refuses, so that its device does not wait
/// in vain: a small `rejected` with the reply's client token, correlation data and encoding, on the
/// topic where this device expects one. A refused `rejected` keeps its code, and loses what made it
/// large; an `accepted` becomes one with `code`. `why` completes the message to the device: "...
/// its reply cannot be delivered: <why>".
///
/// Everything is derived from the reply itself, so that a waiting reply needs no extra memory for
/// this. Nothing for a publication that no device waits for.
std::optional<Publication> replacement_of(const Publication& refused, ErrorCode code,
                                          std::string_view why, std::int64_t unix_seconds);

}  // namespace jobs_bridge
