#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "adapters/fibers/event_loop.h"
#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// A condition variable that fibers and threads may wait on, side by side: a thread blocks, a fiber
/// lets its thread go on. Otherwise as std::condition_variable, but that a wait always takes a
/// condition, and that MonotonicTime::max() is for ever.
class ConditionVariable {
 public:
  /// Waits until `condition`, which is asked with the lock held, or until `deadline`; says whether
  /// it holds.
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
  std::mutex mutex_;  ///< of fibers_; a leaf
  std::vector<std::shared_ptr<EventLoop::Fiber>> fibers_;
};

}  // namespace jobs_bridge::fibers
