#include "adapters/daemon/gathered_flush.h"

#include <utility>

namespace jobs_bridge {

GatheredFlush::GatheredFlush(fibers::EventLoop& loop, Publisher& publisher)
    : publisher_(publisher) {
  loop.start([this] { run(); });
}

GatheredFlush::~GatheredFlush() {
  stop();
}

void GatheredFlush::flush() {
  if (fibers::EventLoop::is_here()) {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      if (!std::exchange(wanted_, true)) changed_.notify_all();
      return;
    }
  }
  publisher_.flush();
}

void GatheredFlush::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_ || stopping_; });
    if (!wanted_) break;
    wanted_ = false;
    lock.unlock();
    publisher_.flush();
    lock.lock();
  }
  ended_ = true;
  changed_.notify_all();
}

void GatheredFlush::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return ended_; });
}

}  // namespace jobs_bridge
