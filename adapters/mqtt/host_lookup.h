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
/// half a minute when no name server answers, so it works on a thread of its own, which is left to
/// itself when its time is up. There is never more than one.
///
/// Without this Paho would look the name up, on its sending thread and with its lock held: a daemon
/// told to stop would hang in the library's clean-up until then.
///
/// Used by one thread.
class HostLookup {
 public:
  explicit HostLookup(std::string host);

  struct Outcome {
    /// Literal addresses, IPv4 first; never empty where there is no fault.
    std::vector<std::string> addresses;
    std::optional<BrokerFault> fault;
  };
  /// Waits at most `patience`, and not when `stopping` comes true.
  Outcome find(std::chrono::milliseconds patience, const std::function<bool()>& stopping);

 private:
  struct Lookup;
  const std::string host_;
  /// The one in progress; null: none.
  std::shared_ptr<Lookup> lookup_;
};

}  // namespace jobs_bridge::mqtt
