#pragma once

#include <atomic>
#include <cstdint>

#include "adapters/files/file_descriptor.h"
#include "bridge/time.h"

namespace jobs_bridge::fibers {

/// Ends, once raised, every wait in progress and every later one. Any thread may call any of it.
///
/// It is an eventfd that every wait polls beside its socket. So stopping needs no list of waits in
/// progress, no watching thread, and no shutdown of a descriptor that may be closed at the same
/// moment.
class StopSignal {
 public:
  /// Throws std::system_error if the process has no descriptor left.
  StopSignal();
  void raise() noexcept;
  [[nodiscard]] bool raised() const noexcept { return raised_.load(std::memory_order_acquire); }
  [[nodiscard]] int descriptor() const noexcept { return event_.get(); }
  /// Unique: no other StopSignal has or had it.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

 private:
  std::atomic<bool> raised_{false};
  files::FileDescriptor event_;
  const std::uint64_t id_;
};

/// A number unique to one descriptor: a caller that waits for the same descriptor repeatedly passes
/// it to each wait, so that the event loop recognises the descriptor. Any thread may call it.
std::uint64_t descriptor_id() noexcept;

enum class Waited { ready, timeout, stopped };

/// Waits until `descriptor` has one of `events` (of poll; an error or hang-up counts as ready: the
/// next read or write tells which), until `deadline`, or until `stop` is raised. On a fiber only
/// the fiber waits; elsewhere the thread does. `id`: see descriptor_id(); 0: none.
Waited wait_for(int descriptor, short events, MonotonicTime deadline, const StopSignal& stop,
                std::uint64_t id = 0) noexcept;

}  // namespace jobs_bridge::fibers
