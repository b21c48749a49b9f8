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

#include "adapters/files/file_descriptor.h"
#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// A thread that carries out many tasks in turn, each on a stack of its own (a fiber): where a task
/// waits, for a descriptor, a deadline or another task, the thread goes on with the next. So a
/// thousand calls in flight can be written as blocking calls and use one thread; and one wait of
/// the thread (epoll) serves everything that became ready meanwhile.
///
/// A task must wait by wait_for() (wait.h) or a ConditionVariable (condition_variable.h). Any other
/// blocking call blocks all tasks. A task must not wait within a catch block, nor hold a lock while
/// it waits, unless no other task and no callback takes that lock.
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

  /// Runs `task`, which must not throw, on a fiber of its own, which may be woken immediately.
  /// Throws std::bad_alloc if there is no stack for it.
  std::shared_ptr<Fiber> start(std::function<void()> task);

  /// Whether the caller runs on a fiber of any loop.
  static bool is_here();
  /// Whether the caller runs on a fiber of this loop.
  [[nodiscard]] bool has_caller() const;

  /// The fiber that the caller runs on; null if it runs on none.
  static std::shared_ptr<Fiber> current();

  /// Sleeps until woken, or until `deadline`. May return spuriously; returns at once if the fiber
  /// was woken since it last slept. To be called on a fiber.
  static void sleep(MonotonicTime deadline);
  /// Ends the sleep of a fiber, or its next one. Any thread may call it.
  static void wake(const std::shared_ptr<Fiber>& fiber);

  /// Sleeps until `descriptor` is ready for `events` (of epoll; errors and hang-ups count), until
  /// woken otherwise, or until `deadline`. Returns what it is ready for: 0 if the sleep ended for
  /// another reason or spuriously; nothing if the system cannot wait for this descriptor. Only one
  /// fiber at a time may wait for a descriptor. Meanwhile only another fiber of the loop may close
  /// it, and must then wake the waiting one. To be called on a fiber.
  ///
  /// `id`: 0, or a number that no other descriptor has or had (descriptor_id()): the descriptor
  /// then stays registered with epoll between one wait for EPOLLIN and the next, which saves a
  /// system call for each.
  static std::optional<std::uint32_t> sleep_until_ready(int descriptor, std::uint32_t events,
                                                        MonotonicTime deadline,
                                                        std::uint64_t id = 0);

  /// Wakes every fiber of the caller's loop once `descriptor` becomes readable for the first time.
  /// `id` must be unique to the descriptor; calling it again for the same one is harmless.
  static void wake_all_at(int descriptor, std::uint64_t id);

 private:
  void run();
  /// Takes over what other threads have posted. False if the loop is to end.
  bool take_posted();
  void run_ready();
  /// Waits for descriptors if no fiber is ready, and wakes the fibers that wait for them.
  void poll();
  void end_overdue();
  void post(std::vector<std::shared_ptr<Fiber>>& to, std::shared_ptr<Fiber> fiber);
  void wake_here(Fiber& fiber);
  void forget(Fiber& fiber);
  bool arm(int descriptor, std::uint32_t events, std::uint64_t id);
  void disarm(int descriptor);

  const files::FileDescriptor epoll_;
  const files::FileDescriptor wakeup_fd_;

  std::mutex mutex_;  ///< protects what other threads post
  std::vector<std::shared_ptr<Fiber>> posted_;
  std::vector<std::shared_ptr<Fiber>> started_;
  bool asleep_ = false;  ///< the thread sleeps in epoll and must be woken
  bool ending_ = false;

  // Used by the loop's own thread only.
  std::vector<std::shared_ptr<Fiber>> ready_;
  std::vector<std::shared_ptr<Fiber>> running_;  ///< those of ready_ whose turn it is
  std::vector<std::shared_ptr<Fiber>> fibers_;   ///< all fibers
  struct Watched {
    Fiber* fiber = nullptr;  ///< the one that waits for it; null: none
    /// The id under which it stays registered for EPOLLIN from one wait to the next; 0: each wait
    /// registers anew. Compared at each wait, since the number of a closed descriptor is soon
    /// reused.
    std::uint64_t kept = 0;
  };
  std::vector<Watched> watched_;          ///< by descriptor
  std::vector<std::uint64_t> wait_sets_;  ///< see wake_all_at()
  /// A lower bound of all deadlines. Waking a fiber before its deadline does not raise it, so that
  /// sleeping and waking cost nothing here; once it has passed, all fibers are examined and it is
  /// computed anew.
  MonotonicTime next_deadline_ = MonotonicTime::max();

  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace jobs_bridge::fibers
