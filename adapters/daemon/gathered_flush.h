#pragma once

#include <mutex>

#include "adapters/fibers/condition_variable.h"
#include "adapters/fibers/event_loop.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Flushes a Publisher once for all replies that the tasks of an event loop queue in one turn.
///
/// Under load many calls are answered between two looks at the network. To flush for each of them
/// costs a look at the publisher's lock each time, and a wake-up of the MQTT library's thread or a
/// packet of its own on the network: with Paho a quarter of all that a request costs. And nothing
/// leaves later for it than the turn lasts.
class GatheredFlush {
 public:
  /// Both must outlive it.
  GatheredFlush(fibers::EventLoop& loop, Publisher& publisher);
  GatheredFlush(const GatheredFlush&) = delete;
  GatheredFlush& operator=(const GatheredFlush&) = delete;
  ~GatheredFlush();

  /// From a fiber: the flush comes when the others have had their turn. From any other thread: now.
  void flush();

  /// Ends what gathers; flush() then flushes at once, also from a fiber.
  void stop();

 private:
  void run();

  Publisher& publisher_;
  std::mutex mutex_;
  fibers::ConditionVariable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace jobs_bridge
