#pragma once

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/endpoint/store.h"

// What a Store is made of; for its own source files only.

namespace jobs_endpoint {

struct Store::Thing {
  std::string name;
  /// The latest first.
  std::unordered_map<const Job*, std::forward_list<Execution>> executions = {};
  /// By order of queueing.
  std::map<std::uint64_t, Execution*> in_progress = {};
  std::map<std::uint64_t, Execution*> queued = {};
};

struct Store::JobEntry {
  Job job;
  std::vector<Thing*> things = {};
};

[[nodiscard]] inline std::size_t index(ExecutionStatus status) {
  return static_cast<std::size_t>(status);
}

}  // namespace jobs_endpoint
