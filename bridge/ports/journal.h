#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/jobs/message.h"

namespace jobs_bridge {

/// An update as the broker handed it to us.
struct JournalEntry {
  /// Entries of a thing are carried out in the order of their numbers. Never 0, nor used twice
  /// while an entry of that number is kept.
  std::uint64_t number = 0;
  /// When it was received, in seconds since 1970 by the clock of that time.
  std::int64_t received = 0;
  Message message;  ///< never a retained one
};

/// Keeps updates until the broker has the reply to them, even if the process ends, for whatever
/// reason.
class Journal {
 public:
  virtual ~Journal() = default;
  /// Keeps an entry: it outlives the process once this has returned, and a power cut 100 ms later.
  /// Returns nothing, or a message for the device and the operator that tells why it is not kept.
  /// Then it is absent after a restart too, unless the reason is a disk that hangs and a kill or a
  /// power cut comes meanwhile. Called from a message callback: takes microseconds, or a fraction
  /// of a second, once, when a disk begins to hang; does not throw. Calls come one at a time.
  virtual std::optional<std::string> record(const JournalEntry& entry) = 0;
  /// Forgets entries whose devices have been answered; numbers that are not kept are ignored. Does
  /// not wait for the disk: for some milliseconds a kill can bring the entries back, and a power
  /// cut for 100. But they are forgotten in the order of the calls, and no entry is recorded before
  /// all entries settled until then are forgotten, unless there are thousands of them or the disk
  /// is full or hangs. So if one entry comes back, every later one that was kept does too, and the
  /// last update to be carried out again is the last one originally carried out. Does not throw.
  /// Calls come one at a time, also while another thread is in record().
  virtual void settle(const std::vector<std::uint64_t>& numbers) = 0;
};

}  // namespace jobs_bridge
