#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bridge/flow/call.h"
#include "bridge/jobs/message.h"
#include "bridge/jobs/operation.h"
#include "bridge/time.h"

namespace jobs_bridge::simulation {

/// Where a request stands in the list of all requests of a world.
using AskedNumber = std::uint32_t;

/// The call that a request stands for.
struct Wanted {
  std::string method;
  std::string target;
  std::string body;
  friend bool operator==(const Wanted&, const Wanted&) = default;
};

/// A request of a device and what has become of it, seen from outside the bridge.
struct Asked {
  std::uint32_t thing = 0;
  Operation operation = Operation::get_pending;
  Wanted wanted;
  std::string topic;
  std::string response_topic;
  std::string correlation;
  /// What the bridge is to refuse at once, as it is not a proper request.
  bool invalid = false;
  /// An update that no other one looks like.
  bool marked = false;
  std::int64_t expected_version = 0;  ///< 0: none
  std::optional<Duration> expires_after;

  MonotonicTime received{};
  MonotonicTime deadline{};
  std::optional<MonotonicTime> expiry;  ///< if before the deadline

  RequestId id = 0;        ///< the engine's, once known
  bool recording = false;  ///< the journal has not kept or refused it yet
  bool recorded = false;
  bool lost = false;  ///< by a power cut
  MonotonicTime recorded_at{};
  MonotonicTime restored_at{};
  bool restored = false;
  bool brought_back = false;  ///< restored although it had been answered, and the journal told so
  bool joined = false;        ///< an update that may share the answer of the one before it

  int replies = 0;            ///< in all lives of the bridge
  int replies_this_life = 0;  ///< of the bridge
  MonotonicTime replied{};    ///< last
  bool accepted = false;      ///< last
  bool given_up = false;
  int calls = 0;              ///< for itself
  int looks = 0;              ///< describes that settle it
  int calls_this_life = 0;    ///< both
  int failures_answered = 0;  ///< calls that failed and may have reached the endpoint
  int applied = 0;            ///< updates: times that the endpoint carried it out
  bool refused = false;       ///< the endpoint told the bridge that it cannot be
  bool final = false;         ///< refused by an answer that must not be asked for again
};

}  // namespace jobs_bridge::simulation
