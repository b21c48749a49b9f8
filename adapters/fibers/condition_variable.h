#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "adapters/fibers/event_loop.h"
#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// A condition variable that both fibers and threads may wait on: a thread blocks, a fiber yields
/// to others on its thread. Otherwise like std::condition_variable, except that a wait always takes
/// a condition, and that MonotonicTime::max() means no deadline.
class ConditionVariable {
 public:
  /// Waits until `condition`, which is evaluated with the lock held, is true, or until `deadline`;
  /// returns whether it is true.
  template <typename Condition>
  bool wait_until(std::unique_lock<std::mutex>& lock, MonotonicTime deadline,
                  Condition&& condition) {
    while (!condition()) {
      if (!wait_once(lock, deadline)) return condition();
    }
    return true;
  }
  template <typename Condition>
  void wait(std::unique_lock<std::mutex>& lock, Condition&& condition) {
    wait_until(lock, MonotonicTime::max(), std::forward<Condition>(condition));
  }

  /// Either may be called with the lock held or not.
  void notify_one();
  void notify_all();

 private:
  /// False: `deadline` has passed.
  bool wait_once(std::unique_lock<std::mutex>& lock, MonotonicTime deadline);

  std::condition_variable threads_;
  std::mutex mutex_;  ///< protects fibers_; no other lock is taken while it is held
  std::vector<std::shared_ptr<EventLoop::Fiber>> fibers_;
};

}  // namespace jobs_bridge::fibers
