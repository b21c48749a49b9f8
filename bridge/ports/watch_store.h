#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jobs_bridge {

/// What is remembered about a thing whose pending executions are polled on behalf of its device.
struct WatchedThing {
  std::string thing;
  /// When its device last asked for something, in seconds since 1970.
  std::int64_t asked = 0;
  /// What the device was last told is pending: text in a format of the core, stored unchanged.
  std::string told;
};

/// Keeps the watched things over a restart, so that a job that was queued meanwhile is still
/// announced and one that was announced is not announced again.
class WatchStore {
 public:
  virtual ~WatchStore() = default;
  /// Takes what has changed and what is to be forgotten. Returns without waiting for the disk and
  /// does not throw; what cannot be written is logged. Calls come one at a time.
  virtual void save(std::vector<WatchedThing> changed, std::vector<std::string> forgotten) = 0;
};

}  // namespace jobs_bridge
