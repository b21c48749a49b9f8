#include "adapters/daemon/request_log.h"

#include <chrono>
#include <string>

namespace jobs_bridge {

void log_finished(Log& log, const Finished& finished) {
  const auto& rejection = finished.rejection;
  const bool ours = rejection && (rejection->code == ErrorCode::internal_error ||
                                  rejection->code == ErrorCode::request_throttled);
  const auto severity = finished.given_up ? Severity::error
                        : ours            ? Severity::warning
                                          : Severity::debug;
  if (!log.enabled(severity)) return;
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(finished.took).count();
  const auto took =
      std::to_string(microseconds / 1000) + "." + std::to_string(microseconds % 1000 / 100) + "ms";
  if (!rejection) {
    log.write(severity, "request accepted",
              {{"topic", finished.topic},
               {"client_token", finished.client_token},
               {"took", took},
               {"held", finished.held ? "yes" : ""},
               {"endpoint_request_id", finished.endpoint_request_id}});
    return;
  }
  // One event name per code: the log's rate limit counts by event, and a flood of one kind of
  // failure must not hide the first of another.
  std::string event =
      finished.given_up ? "update lost: the request was rejected: " : "request rejected: ";
  event += to_string(rejection->code);
  log.write(severity, event,
            {{"topic", finished.topic},
             {"message", rejection->message},
             {"detail", rejection->detail},
             {"client_token", finished.client_token},
             {"took", took},
             {"endpoint_request_id", finished.endpoint_request_id}});
}

void log_endpoint_change(Log& log, const EndpointChange& change) {
  const auto held = std::to_string(change.held);
  if (!change.reachable) {
    log.write(Severity::warning, "the endpoint is down: calls wait, but for one now and then",
              {{"cause", change.cause}, {"updates_held", held}});
    return;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(change.outage).count();
  log.write(Severity::info, "the endpoint answers again",
            {{"after", std::to_string(seconds) + "s"}, {"updates_held", held}});
}

void log_slowed_down(Log& log, const SlowedDown& slowed) {
  log.write(Severity::warning, "the endpoint throttles: calls are slowed down",
            {{"quota", slowed.kind == QuotaKind::reads ? "reads" : "writes"},
             {"calls_per_second", std::to_string(static_cast<int>(slowed.per_second))}});
}

}  // namespace jobs_bridge
