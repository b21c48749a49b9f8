#pragma once

#include <string>

#include "bridge/time.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/faults.h"

namespace jobs_bridge::simulation {

/// How the endpoint and the way to it behave for a while. Probabilities are of each call.
struct Weather {
  Duration min_latency = std::chrono::milliseconds(5);
  Duration max_latency = std::chrono::milliseconds(30);
  double refused = 0;      ///< no connection, at once
  double unreachable = 0;  ///< no connection, after the connect timeout
  double hangs = 0;        ///< no answer until the call's deadline
  double breaks = 0;       ///< reset or truncated
  double fails = 0;        ///< 5xx
  double nonsense = 0;     ///< 200 without sense
  double refuses = 0;      ///< 403
  /// Of a call that hangs, breaks, fails or is answered with nonsense: that it is carried out.
  double carried_out = 0.5;
  /// Calls a second of each kind before 429; 0: any number.
  double capacity = 0;
  bool retry_after = false;

  static Weather fair() { return {}; }
  /// Nothing gets through, for one of these kinds of fault.
  static Weather outage(Dice& dice, const Faults& faults = Faults::all());
  static Weather random(Dice& dice, const Faults& faults = Faults::all());
  /// The same without what belongs to other kinds of fault.
  [[nodiscard]] Weather with_only(const Faults& those) const;
  [[nodiscard]] std::string text() const;
};

}  // namespace jobs_bridge::simulation
