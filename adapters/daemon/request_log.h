#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>

#include "bridge/flow/observer.h"
#include "bridge/jobs/topic.h"
#include "bridge/ports/log.h"

namespace jobs_bridge {

/// Logs the outcome of requests: at debug if it only concerns the device; as a warning, with the
/// cause, if the gateway or its endpoint failed or if a device may not receive a rejection; and as
/// an error if an update is lost. It also logs when the endpoint answers for the first time, stops
/// answering or answers again, and when it throttles. Any thread may call it.
class RequestLog final : public Observer {
 public:
  /// `topics` tells which thing and job a topic belongs to; `log` must outlive this.
  RequestLog(TopicGrammar topics, Log& log) : topics_(std::move(topics)), log_(log) {}

  void call_finished(Now now, Operation operation, const HttpOutcome& outcome, Health health,
                     Duration took) override;
  void decided(Now now, const Effects& effects) override;

 private:
  void write(const Finished& finished);
  void write(const EndpointChange& change);
  void write(const AccessChange& change);
  void write(const SlowedDown& slowed);
  void write(const IllegalTransition& transition);
  void write(const Paused& paused);
  void write_retained(const std::string& topic);

  const TopicGrammar topics_;
  Log& log_;

  std::atomic<bool> answered_ = false;  ///< the endpoint, as it should

  std::mutex mutex_;
  /// Hashes of the things whose retained requests have been logged.
  std::unordered_set<std::uint64_t> retained_things_;
};

}  // namespace jobs_bridge
