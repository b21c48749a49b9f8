#pragma once

#include "bridge/flow/effects.h"
#include "bridge/jobs/http.h"
#include "bridge/jobs/operation.h"
#include "bridge/jobs/outcome.h"
#include "bridge/time.h"

namespace jobs_bridge {

/// Is told what happens, for metrics, the log and the status page; it cannot influence anything.
/// Any thread may call it; it returns soon, and does not throw. What an observer does not override
/// does not concern it.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A message came from the broker.
  virtual void received(Now /*now*/) {}
  /// A call of the endpoint ended, after `took`; polls on behalf of devices included. `health` is
  /// what the engine made of it.
  virtual void call_finished(Now /*now*/, Operation /*operation*/, const HttpOutcome& /*outcome*/,
                             Health /*health*/, Duration /*took*/) {}
  /// The engine decided: what became of requests, the endpoint, the quotas and notifications.
  virtual void decided(Now /*now*/, const Effects& /*effects*/) {}
};

}  // namespace jobs_bridge
