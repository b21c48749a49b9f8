#include "adapters/fibers/condition_variable.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobs_bridge::fibers {

bool ConditionVariable::wait_once(std::unique_lock<std::mutex>& lock, MonotonicTime deadline) {
  const auto fiber = EventLoop::current();
  if (!fiber) {
    // Not wait_until(max()): the library adds to it and overflows.
    if (deadline != MonotonicTime::max()) {
      return threads_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    }
    threads_.wait(lock);
    return true;
  }
  {
    const std::lock_guard own(mutex_);
    fibers_.push_back(fiber);
  }
  lock.unlock();
  EventLoop::sleep(deadline);
  {
    const std::lock_guard own(mutex_);
    std::erase(fibers_, fiber);
  }
  lock.lock();
  return std::chrono::steady_clock::now() < deadline;
}

void ConditionVariable::notify_one() {
  std::shared_ptr<EventLoop::Fiber> first;
  {
    const std::lock_guard own(mutex_);
    if (!fibers_.empty()) {
      first = std::move(fibers_.front());
      fibers_.erase(fibers_.begin());
    }
  }
  if (first) {
    EventLoop::wake(first);
  } else {
    threads_.notify_one();
  }
}

void ConditionVariable::notify_all() {
  std::vector<std::shared_ptr<EventLoop::Fiber>> all;
  {
    const std::lock_guard own(mutex_);
    all.swap(fibers_);
  }
  for (const auto& fiber : all) EventLoop::wake(fiber);
  threads_.notify_all();
}

}  // namespace jobs_bridge::fibers
