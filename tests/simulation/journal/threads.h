#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/fibers/stack_switch.h"
#include "bridge/time.h"
#include "tests/simulation/dice.h"

namespace jobs_bridge::simulation {

/// How much of the time something was so, of which it is known in advance how long it will be.
class TimeSpent {
 public:
  void add(MonotonicTime from, MonotonicTime to);
  [[nodiscard]] Duration until(MonotonicTime now) const;
  [[nodiscard]] MonotonicTime end() const { return end_; }

 private:
  Duration total_{};
  MonotonicTime end_{};
};

/// Thrown out of a simulated thread whose process ends, through all that it was in. Not a
/// std::exception: what is simulated catches those.
struct ProcessEnds {};

/// Threads in virtual time, all of them in one real one: each is a fiber that runs until it locks,
/// waits, notifies or touches the disk. Which one goes on then a seed decides, and how long it
/// takes until it has a processor.
class Threads {
 public:
  struct Chances {
    double spurious = 0;     ///< of a wait to end without a notification
    double starved = 0;      ///< of a step to wait for a processor for long
    Duration starved_for{};  ///< then at most
  };
  class Thread;
  using Process = int;  ///< threads that end together

  explicit Threads(std::uint64_t seed);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// Those that simulated code runs in.
  static Threads& current() { return *current_; }
  void make_current() { current_ = this; }

  void set_chances(const Chances& chances) { chances_ = chances; }
  void start(const char* name, Process process, std::function<void()> body);
  /// Until then, or until a promise is broken.
  void run_until(MonotonicTime end);
  /// Until it is so, looking after each step, or until then.
  void run_until(MonotonicTime end, const std::function<bool()>& done);
  /// Ends threads wherever they are. Not to be called by one.
  void end(Process process);
  [[nodiscard]] bool is_over(Process process) const;

  [[nodiscard]] MonotonicTime now() const { return now_; }
  /// For how long some thread has waited for a processor.
  [[nodiscard]] Duration starved() const { return starved_.until(now_); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  // By a thread.

  /// What is simulated asks for the time, which goes on.
  MonotonicTime read_clock();
  /// Others may run.
  void step();
  void sleep_until(MonotonicTime when);
  void sleep(Duration time) { sleep_until(now_ + time); }
  /// The same for a destructor: returns at once if the thread's process has ended.
  void sleep_in_destructor(MonotonicTime when) noexcept;
  Thread* self() { return running_; }
  /// Until another thread wakes it, or until then. It is `id` for wake().
  void park(MonotonicTime until);
  void wake(Thread* thread);
  /// Whether it could go on if it had a processor.
  [[nodiscard]] static bool is_runnable(const Thread* thread);
  [[nodiscard]] bool holds_mutex() const;
  void count_mutex(int change);
  [[nodiscard]] bool ends() const;  ///< this thread's process has ended
  [[nodiscard]] bool spurious() { return dice_.chance(chances_.spurious); }
  Dice& dice() { return dice_; }

  /// A broken promise ends the world, not only the thread that has seen it.
  void broken(const std::string& what);
  [[nodiscard]] const std::optional<std::string>& broken() const { return broken_; }
  [[nodiscard]] std::string_view name() const;

 private:
  Thread* next(MonotonicTime end);
  void count_step(Thread& thread);

  static thread_local Threads* current_;
  Dice dice_;
  Chances chances_;
  MonotonicTime now_{std::chrono::hours(1)};
  TimeSpent starved_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Thread*> ready_;
  Thread* running_ = nullptr;
  std::uint64_t steps_ = 0;
  std::optional<std::string> broken_;
};

/// As std::mutex.
class SimulatedMutex {
 public:
  void lock();
  void unlock();

 private:
  Threads::Thread* owner_ = nullptr;
  std::vector<Threads::Thread*> waiting_;
};

/// As std::condition_variable: which of the waiting threads is notified a seed decides, and some
/// waits end without a notification.
class SimulatedCondition {
 public:
  using Lock = std::unique_lock<SimulatedMutex>;

  void wait(Lock& lock) { wait_until(lock, MonotonicTime::max()); }
  template <typename Done>
  void wait(Lock& lock, Done done) {
    while (!done()) wait(lock);
  }
  void wait_until(Lock& lock, MonotonicTime end);
  template <typename Done>
  bool wait_until(Lock& lock, MonotonicTime end, Done done) {
    while (!done()) {
      if (Threads::current().now() >= end) return false;
      wait_until(lock, end);
    }
    return true;
  }
  template <typename Done>
  bool wait_for(Lock& lock, Duration time, Done done) {
    return wait_until(lock, Threads::current().now() + time, done);
  }
  void notify_one();
  void notify_all();

 private:
  std::vector<Threads::Thread*> waiting_;
};

}  // namespace jobs_bridge::simulation
