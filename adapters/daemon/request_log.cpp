#include "adapters/daemon/request_log.h"

#include <chrono>
#include <string>

namespace jobs_bridge {

void log_finished(Log& log, const Finished& finished) {
  const auto& rejection = finished.rejection;
  const bool ours = rejection && (rejection->code == ErrorCode::internal_error ||
                                  rejection->code == ErrorCode::request_throttled);
  const auto severity = ours ? Severity::warning : Severity::debug;
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
               {"endpoint_request_id", finished.endpoint_request_id}});
    return;
  }
  // One event name per code: the log's rate limit counts by event, and a flood of one kind of
  // failure must not hide the first of another.
  std::string event = "request rejected: ";
  event += to_string(rejection->code);
  log.write(severity, event,
            {{"topic", finished.topic},
             {"message", rejection->message},
             {"detail", rejection->detail},
             {"client_token", finished.client_token},
             {"took", took},
             {"endpoint_request_id", finished.endpoint_request_id}});
}

}  // namespace jobs_bridge
