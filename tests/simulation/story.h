#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bridge/time.h"

namespace jobs_bridge::simulation {

/// What happened in a world, for a person: a line an event, with its time and who did it.
class Story {
 public:
  void tell(MonotonicTime now, std::string_view who, std::string_view what);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::size_t size() const { return lines_.size(); }

 private:
  std::vector<std::string> lines_;  ///< the last ones
  std::size_t left_out_ = 0;
};

}  // namespace jobs_bridge::simulation
