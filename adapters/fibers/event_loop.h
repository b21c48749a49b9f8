#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "adapters/fibers/file_descriptor.h"
#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// A thread that carries out many tasks in turn, each on a stack of its own (a fiber): where a task
/// waits, for a descriptor, a deadline or another task, the thread goes on with the next. So a
/// thousand calls in flight are written as a thousand that block, and cost one thread; and one wait
/// of the thread (epoll) serves all that became ready meanwhile.
///
/// A task must wait by wait_for() (wait.h) or a ConditionVariable (condition_variable.h). Anything
/// else that blocks, blocks all of them. It must not wait within a catch block, nor keep a lock
/// while it waits.
///
/// Any thread may call start(); the rest is for wait.h and condition_variable.h.
class EventLoop {
 public:
  /// Throws std::system_error if the process has no descriptor or thread left.
  EventLoop();
  /// Waits until every task has returned.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  class Fiber;

  /// Carries out `task`, which must not throw, on a fiber of its own, which may be woken at once.
  /// Throws std::bad_alloc if there is no stack for it.
  std::shared_ptr<Fiber> start(std::function<void()> task);

  /// Whether the caller runs on a fiber, of whatever loop.
  static bool is_here();
  /// Whether it runs on one of this loop.
  [[nodiscard]] bool has_caller() const;

  /// The one that the caller runs on; null: it runs on none.
  static std::shared_ptr<Fiber> current();

  /// Sleeps until woken, or until `deadline`. May return for no reason, and does so at once if it
  /// was woken since it last slept. Called on a fiber.
  static void sleep(MonotonicTime deadline);
  /// Ends the sleep of a fiber, or its next one. Any thread.
  static void wake(const std::shared_ptr<Fiber>& fiber);

  /// Sleeps until `descriptor` is ready for `events` (of epoll; errors and hang-ups count), until
  /// woken otherwise, or until `deadline`. Says what it is ready for: 0 if it was another reason,
  /// or none, that ended the sleep; nothing if the system does not let us wait for it. One fiber at
  /// a time waits for a descriptor, which must not be closed meanwhile but by another fiber of the
  /// loop, who wakes the one that waits. Called on a fiber.
  ///
  /// `id`: 0, or a number that no other descriptor has or had (descriptor_id()): the system then
  /// keeps watching the descriptor between one wait for EPOLLIN and the next, which saves a system
  /// call for each.
  static std::optional<std::uint32_t> sleep_until_ready(int descriptor, std::uint32_t events,
                                                        MonotonicTime deadline,
                                                        std::uint64_t id = 0);

  /// Wakes every fiber of the caller's loop once `descriptor` becomes readable for the first time.
  /// `id` is never the same for two; that it was asked for before does no harm.
  static void wake_all_at(int descriptor, std::uint64_t id);

 private:
  void run();
  /// Takes what other threads have handed over. False: it is over.
  bool take_posted();
  void run_ready();
  /// Waits for descriptors, if no fiber is ready, and wakes who waits for them.
  void poll();
  void end_overdue();
  void post(std::vector<std::shared_ptr<Fiber>>& to, std::shared_ptr<Fiber> fiber);
  void wake_here(Fiber& fiber);
  void forget(Fiber& fiber);
  bool arm(int descriptor, std::uint32_t events, std::uint64_t id);
  void disarm(int descriptor);

  const FileDescriptor epoll_;
  const FileDescriptor doorbell_;

  std::mutex mutex_;  ///< of what other threads hand over
  std::vector<std::shared_ptr<Fiber>> posted_;
  std::vector<std::shared_ptr<Fiber>> started_;
  bool asleep_ = false;  ///< the doorbell must be rung
  bool ending_ = false;

  // Of the loop's own thread.
  std::vector<std::shared_ptr<Fiber>> ready_;
  std::vector<std::shared_ptr<Fiber>> running_;  ///< of ready_, those whose turn is now
  std::vector<std::shared_ptr<Fiber>> fibers_;   ///< all there are
  struct Watched {
    Fiber* fiber = nullptr;  ///< that waits for it; null: none does
    /// The id under which the system watches it for EPOLLIN from one wait to the next; 0: each wait
    /// asks anew. Compared at each wait, as a closed descriptor's number is soon another's.
    std::uint64_t kept = 0;
  };
  std::vector<Watched> watched_;       ///< by descriptor
  std::vector<std::uint64_t> heeded_;  ///< see wake_all_at()
  /// No deadline is earlier. A fiber that is woken before its deadline does not raise it, so that
  /// sleeping and waking cost nothing here; a look at all of them does, whenever it has passed.
  MonotonicTime next_deadline_ = MonotonicTime::max();

  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace jobs_bridge::fibers
