#pragma once

#include "bridge/jobs/message.h"

namespace jobs_bridge {

/// The way back to the devices. Publications for one thing leave in the order in which they were
/// queued; things may take turns.
///
/// There are two steps, so that a caller can fix the order while it holds a lock and send after
/// releasing it: `queue` only stores the message (it never blocks and never calls into the MQTT
/// library); `flush` sends what may be sent now. Both may be called from any thread, `flush` also
/// from a message callback, but never while holding a lock that such a callback takes.
class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual void queue(Publication publication) = 0;
  virtual void flush() = 0;
};

}  // namespace jobs_bridge
