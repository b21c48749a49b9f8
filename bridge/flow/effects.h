#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/flow/quota.h"
#include "bridge/flow/request_state.h"
#include "bridge/jobs/endpoint_fault.h"
#include "bridge/jobs/message.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/rejection.h"
#include "bridge/ports/journal.h"
#include "bridge/ports/watch_store.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// How one request ended, for logs and metrics.
struct Finished {
  /// Absent when the topic maps to no operation.
  std::optional<Operation> operation;
  std::string topic;
  /// JSON text exactly as the device wrote it; empty: none.
  std::string client_token;
  /// Present when the reply was `rejected`.
  std::optional<Rejection> rejection;
  /// From the receipt of the request to its reply.
  Duration took{};
  /// The endpoint's name for the call, where it gave one.
  std::string endpoint_request_id;
  /// How many calls were begun for it.
  std::uint32_t calls = 0;
  /// An update that was held for longer than its device waited. If it is rejected, the reply has no
  /// client token.
  bool held = false;
  /// An update that will not be delivered any more, although its device may not ask again.
  bool given_up = false;

  /// Whether it is an update that the bridge gave up, or one whose outcome stays unknown after its
  /// device has stopped waiting.
  [[nodiscard]] bool is_lost() const {
    return given_up || (held && rejection && rejection->maybe_applied);
  }
};

/// The endpoint stopped answering, or answers again: for logs and health.
struct EndpointChange {
  bool reachable = false;
  EndpointFault kind = EndpointFault::none;  ///< why it does not answer
  std::string cause = {};                    ///< the same as devices are told
  std::string detail = {};  ///< the same for the operator; empty where `cause` says it all
  Duration outage{};        ///< how long it did not answer
  std::size_t held = 0;     ///< updates that wait to be delivered
};

/// The endpoint denies the gateway an operation, or allows it again: see Permissions.
struct AccessChange {
  Operation operation = Operation::start_next;
  bool denied = false;
  std::string cause = {};   ///< as devices are told
  std::string detail = {};  ///< the same for the operator; empty where `cause` says it all
};

/// Calls of one kind are made more slowly than configured, since the endpoint throttles.
struct SlowedDown {
  QuotaKind kind = QuotaKind::reads;
  double per_second = 0;
};

/// Calls of one kind pause because the endpoint asked for it, except for occasional trials; or the
/// pause is over.
struct Paused {
  QuotaKind kind = QuotaKind::reads;
  bool over = false;
  /// The longest pause asked for; once it is over, how long it lasted.
  Duration length{};
};

/// A device was told of a change in its queue: for logs and metrics.
struct Notified {
  std::string thing;
  bool notify = false;
  bool notify_next = false;
  /// The longest that the change can have gone unseen.
  Duration delay{};
};

/// What the engine wants done, in this order within each list. The caller empties it.
struct Effects {
  std::vector<Publication> publications;
  std::vector<Finished> finished;
  std::vector<Notified> notified;
  /// Watched things to be kept over a restart, and the names of those to be forgotten.
  std::vector<WatchedThing> watched;
  std::vector<std::string> forgotten;
  /// Updates to be kept in the journal until they are settled: this must be done before their
  /// message is acknowledged. And the numbers of those whose reply the broker has
  /// acknowledged, or never will.
  std::vector<JournalEntry> recorded;
  std::vector<std::uint64_t> settled;
  /// Topics of requests that were ignored because the broker had retained them.
  std::vector<std::string> retained;
  std::vector<EndpointChange> endpoint_changes;
  std::vector<AccessChange> access_changes;
  std::vector<SlowedDown> slowed_down;
  std::vector<Paused> paused;
  /// Errors in the bridge that it survived: the requests concerned were rejected.
  std::vector<IllegalTransition> illegal_transitions;

  void clear() {
    publications.clear();
    finished.clear();
    notified.clear();
    watched.clear();
    forgotten.clear();
    recorded.clear();
    settled.clear();
    retained.clear();
    endpoint_changes.clear();
    access_changes.clear();
    slowed_down.clear();
    paused.clear();
    illegal_transitions.clear();
  }
};

}  // namespace jobs_bridge
