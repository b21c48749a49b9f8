#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <vector>

#include "adapters/admin/status.h"

namespace jobs_bridge::admin {

/// The last fifty errors, the same ones collapsed into one entry with a count, whichever things
/// they struck: an outage strikes all of them and is one error. No thing fills more than ten of
/// them, so that a device that errs in many ways hides no other's. Texts are cut to a sane length.
/// Not thread-safe.
class RecentErrors {
 public:
  /// `count` is ignored and `last` is the moment.
  void add(ErrorEntry entry);
  /// Latest first.
  [[nodiscard]] std::vector<ErrorEntry> entries() const { return {kept_.begin(), kept_.end()}; }

  static constexpr std::size_t most = 50;
  static constexpr std::size_t most_per_thing = 10;
  static constexpr std::size_t longest_text = 400;  ///< bytes

 private:
  std::list<ErrorEntry> kept_;
};

}  // namespace jobs_bridge::admin
