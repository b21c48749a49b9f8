#include "adapters/daemon/workers.h"

#include <system_error>
#include <utility>

namespace jobs_bridge {

Workers::Workers(std::size_t most, Endpoint& endpoint, Work work)
    : most_(most), endpoint_(endpoint), work_(std::move(work)) {}

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
    worker.thread = std::thread([this, &worker] { run(worker); });
  } catch (const std::system_error&) {
    // The system has no more threads to give. Those that run will find the work; if there is none
    // at all, the next wake tries again.
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
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& worker : workers_) worker.signal.notify_one();
  }
  // The list no longer changes: wake() starts nobody once stopping.
  for (auto& worker : workers_) {
    if (worker.thread.joinable()) worker.thread.join();
  }
}

}  // namespace jobs_bridge
