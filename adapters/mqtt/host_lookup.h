#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mqtt/broker_fault.h"

namespace jobs_bridge::mqtt {

/// Looks up the addresses of one host. The system's resolver cannot be interrupted and may take
/// half a minute when no name server answers, so it runs on a thread of its own, which is abandoned
/// when its time is up. There is never more than one.
///
/// Without this Paho would look the name up, on its sending thread and with its lock held: a daemon
/// told to stop would hang in the library's clean-up until the lookup ends.
///
/// Used by one thread.
class HostLookup {
 public:
  explicit HostLookup(std::string host);

  struct Outcome {
    /// Literal addresses, IPv4 first; never empty if there is no fault.
    std::vector<std::string> addresses;
    std::optional<BrokerFault> fault;
  };
  /// Waits for `patience` at most, and returns early when `stopping` becomes true.
  Outcome find(std::chrono::milliseconds patience, const std::function<bool()>& stopping);

 private:
  struct Lookup;
  const std::string host_;
  /// The lookup in progress; null if there is none.
  std::shared_ptr<Lookup> lookup_;
};

}  // namespace jobs_bridge::mqtt
