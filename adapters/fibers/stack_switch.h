#pragma once

#include <functional>
#include <memory>

namespace jobs_bridge::fibers {

/// A function on a stack of its own that can be suspended and resumed: Boost.Context, plus the
/// annotations that the sanitizers need. Used by one thread.
///
/// Its stack is 256 KiB of address space with a guard page; only touched pages use memory.
class StackSwitch {
 public:
  /// `body` must not throw. Throws std::bad_alloc if no stack can be allocated.
  explicit StackSwitch(std::function<void()> body);
  /// To be called only if it was never entered or its body has returned: a stack in use cannot be
  /// freed.
  ~StackSwitch();
  StackSwitch(const StackSwitch&) = delete;
  StackSwitch& operator=(const StackSwitch&) = delete;

  /// Runs the body until it leaves or returns. Called from outside it.
  void enter();
  /// Switches back to the caller of enter(); returns when entered again. Called from within the
  /// body.
  void leave();
  [[nodiscard]] bool finished() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace jobs_bridge::fibers
