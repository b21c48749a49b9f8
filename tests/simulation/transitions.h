#pragma once

#include <string>
#include <vector>

#include "bridge/flow/request_state.h"

namespace jobs_bridge::simulation {

/// How often each event happened in each state of the engine's own table of requests; Coverage
/// counts what can be seen from outside.
class Transitions {
 public:
  void add(const TransitionCounts& other);
  void add(const Transitions& other) { add(other.counts_); }
  /// What the table allows and has never been.
  [[nodiscard]] std::vector<std::string> missing() const;
  [[nodiscard]] std::string table() const;

 private:
  TransitionCounts counts_{};
};

}  // namespace jobs_bridge::simulation
