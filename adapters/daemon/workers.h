#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <vector>

#include "adapters/fibers/condition_variable.h"
#include "adapters/fibers/event_loop.h"
#include "bridge/ports.h"

namespace jobs_bridge {

/// Those who make calls, each with a connection of its own: fibers of one event loop. They are
/// started as calls need them, up to a limit; of the idle ones the most recently used is woken
/// first, so that the number of connections in use follows the calls really in flight.
class Workers {
 public:
  /// Carries out one call on the given connection; false if there was none to make. Called on a
  /// fiber: see EventLoop for what it may not do.
  using Work = std::function<bool(Exchange&)>;

  /// They run on `loop`, which must outlive them, as must `endpoint`.
  Workers(std::size_t most, fibers::EventLoop& loop, Endpoint& endpoint, Work work);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  /// There may be one more call to make: a worker will look. Never blocks on a call. Any thread.
  void wake();

  /// Returns when every worker has ended. Calls in progress are not cut short here: stop the
  /// endpoint first. To be called by the owner.
  void stop();

 private:
  struct Worker {
    fibers::ConditionVariable signal;
    bool woken = false;
  };
  void start_one();
  void run(Worker& self);
  bool wait_for_work(Worker& self);

  const std::size_t most_;
  fibers::EventLoop& loop_;
  Endpoint& endpoint_;
  const Work work_;

  std::mutex mutex_;
  std::list<Worker> workers_;
  std::vector<Worker*> idle_;  ///< the most recently idle last
  std::size_t running_ = 0;    ///< workers that have not ended
  fibers::ConditionVariable ended_;
  /// Wakes that found every worker busy. A worker that runs out of work takes one and looks again,
  /// so that no call is left between its last look and its going idle.
  std::size_t unserved_wakes_ = 0;
  bool stopping_ = false;
};

}  // namespace jobs_bridge
