#pragma once

#include <functional>
#include <memory>

namespace jobs_bridge::fibers {

/// A function on a stack of its own that can be left in the middle and entered again:
/// Boost.Context, and what the sanitizers must be told of it. Used by one thread.
///
/// Its stack is 256 KiB of address space with a guard page; only what is touched becomes memory.
class StackSwitch {
 public:
  /// `body` must not throw. Throws std::bad_alloc if there is no stack to be had.
  explicit StackSwitch(std::function<void()> body);
  /// Of one that was never entered, or whose body has returned: a stack that is in use cannot be
  /// taken away.
  ~StackSwitch();
  StackSwitch(const StackSwitch&) = delete;
  StackSwitch& operator=(const StackSwitch&) = delete;

  /// Runs the body until it leaves or returns. Called from outside it.
  void enter();
  /// Back to whoever entered; returns when entered again. Called from within the body.
  void leave();
  [[nodiscard]] bool finished() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace jobs_bridge::fibers
