#pragma once

#include <atomic>
#include <cstdint>

#include "adapters/fibers/file_descriptor.h"
#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// Ends, once raised, every wait in progress and every later one. Any thread may call any of it.
///
/// It is an eventfd that every wait polls beside its socket. So stopping needs no list of what is
/// in progress, no thread that watches, and no shutdown of a descriptor that may just be closed.
class StopSignal {
 public:
  /// Throws std::system_error if the process has no descriptor left.
  StopSignal();
  void raise() noexcept;
  [[nodiscard]] bool raised() const noexcept { return raised_.load(std::memory_order_acquire); }
  [[nodiscard]] int descriptor() const noexcept { return event_.get(); }
  /// No other has it, nor had it.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

 private:
  std::atomic<bool> raised_{false};
  FileDescriptor event_;
  const std::uint64_t id_;
};

/// A number that no other descriptor gets: who waits for a descriptor again and again passes it to
/// each of the waits, so that the event loop recognises the descriptor. Any thread.
std::uint64_t descriptor_id() noexcept;

enum class Waited { ready, timeout, stopped };

/// Waits until `descriptor` has one of `events` (of poll; an error or hang-up counts as ready: the
/// next read or write tells which), until `deadline`, or until `stop` is raised. On a fiber it is
/// the fiber that waits; anywhere else, the thread. `id`: see descriptor_id(); 0: none.
Waited wait_for(int descriptor, short events, MonotonicTime deadline, const StopSignal& stop,
                std::uint64_t id = 0) noexcept;

}  // namespace jobs_bridge::fibers
