#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/jobs/message.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/rejection.h"
#include "bridge/ports.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// What became of one request: for logs and metrics.
struct Finished {
  /// Absent when the topic maps to no operation.
  std::optional<Operation> operation;
  std::string topic;
  /// JSON text as the device wrote it; empty: none.
  std::string client_token;
  /// Present when the reply was `rejected`.
  std::optional<Rejection> rejection;
  /// From the moment the request was received to its reply.
  Duration took{};
  /// The endpoint's name for the call, where it gave one.
  std::string endpoint_request_id;
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
  /// To be kept over a restart, and to be forgotten, by name.
  std::vector<WatchedThing> watched;
  std::vector<std::string> forgotten;

  void clear() {
    publications.clear();
    finished.clear();
    notified.clear();
    watched.clear();
    forgotten.clear();
  }
};

}  // namespace jobs_bridge
