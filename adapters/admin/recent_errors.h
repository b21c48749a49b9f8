#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <vector>

#include "adapters/admin/status.h"

namespace jobs_bridge::admin {

/// The last fifty errors, equal ones collapsed into one entry with a count, whichever things they
/// concern: an outage affects all things and is one error. No thing takes more than ten entries, so
/// that a device with many different errors does not hide those of others. Texts are cut to
/// `max_text`. Not thread-safe.
class RecentErrors {
 public:
  /// `count` is ignored; `last` is the time of the error.
  void add(ErrorEntry entry);
  /// Latest first.
  [[nodiscard]] std::vector<ErrorEntry> entries() const { return {kept_.begin(), kept_.end()}; }

  static constexpr std::size_t most = 50;
  static constexpr std::size_t max_per_thing = 10;
  static constexpr std::size_t max_text = 400;  ///< bytes

 private:
  std::list<ErrorEntry> kept_;
};

}  // namespace jobs_bridge::admin
