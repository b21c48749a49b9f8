#include "adapters/daemon/workers.h"

#include <new>
#include <utility>

namespace jobs_bridge {

Workers::Workers(std::size_t most, fibers::EventLoop& loop, Endpoint& endpoint, Work work)
    : most_(most), loop_(loop), endpoint_(endpoint), work_(std::move(work)) {}

Workers::~Workers() {
  stop();
}

void Workers::wake() {
  std::unique_lock lock(mutex_);
  if (stopping_) return;
  if (idle_.empty()) {
    if (workers_.size() < most_) {
      start_one();
    } else if (unserved_wakes_ < workers_.size()) {
      ++unserved_wakes_;
    }
    return;
  }
  Worker& worker = *idle_.back();
  idle_.pop_back();
  worker.woken = true;
  lock.unlock();
  worker.signal.notify_one();
}

void Workers::start_one() {
  auto& worker = workers_.emplace_back();
  try {
    loop_.start([this, &worker] { run(worker); });
    ++running_;
  } catch (const std::bad_alloc&) {
    // No memory for another stack. Those that run will find the work; if there is none at all, the
    // next wake tries again.
    workers_.pop_back();
    if (unserved_wakes_ < workers_.size()) ++unserved_wakes_;
  }
}

void Workers::run(Worker& self) {
  const auto exchange = endpoint_.open();
  do {
    while (work_(*exchange)) {
    }
  } while (wait_for_work(self));
  const std::lock_guard lock(mutex_);
  if (--running_ == 0) ended_.notify_all();
}

bool Workers::wait_for_work(Worker& self) {
  std::unique_lock lock(mutex_);
  if (stopping_) return false;
  if (unserved_wakes_ > 0) {
    --unserved_wakes_;
    return true;
  }
  self.woken = false;
  idle_.push_back(&self);
  self.signal.wait(lock, [&] { return self.woken || stopping_; });
  return !stopping_;
}

void Workers::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (auto& worker : workers_) worker.signal.notify_one();
  ended_.wait(lock, [&] { return running_ == 0; });
}

}  // namespace jobs_bridge
