#include "adapters/daemon/request_log.h"

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

#include "adapters/daemon/milliseconds.h"
#include "bridge/flow/partition.h"
#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

/// Each is logged once; many of them must not fill memory or the log.
constexpr std::size_t max_retained_things = 1000;

/// One event name per code: the log's rate limit counts by event, and a flood of one kind of
/// failure must not hide the first of another.
std::string event_of(const Finished& finished) {
  if (!finished.rejection) return "request accepted";
  const std::string code(to_string(finished.rejection->code));
  if (finished.is_lost()) return "update lost: the request was rejected: " + code;
  if (finished.held) return "update rejected late, after its device had stopped waiting: " + code;
  return "request rejected: " + code;
}

std::string_view hint_against_throttling(QuotaKind kind) {
  return kind == QuotaKind::reads
             ? "find out what else uses the account's quota, lower limits.reads_per_second, or "
               "have "
               "the quota raised"
             : "find out what else uses the account's quota, lower limits.writes_per_second, or "
               "have the quota raised";
}

/// What is to be done by hand about an update that the device cannot report again.
std::string_view hint_for(const Finished& finished) {
  if (finished.is_lost()) return "correct this job execution by hand";
  if (finished.rejection && finished.held) {
    return "check that this job execution is in the right state";
  }
  return "";
}

/// Without the quotes, if it is a string.
std::string shown(const std::string& client_token) {
  if (!json_text::is_string(client_token)) return client_token;
  return json_text::decode_string(client_token).value_or(client_token);
}

Severity severity_of(const Finished& finished) {
  if (finished.is_lost()) return Severity::error;
  const auto& rejection = finished.rejection;
  // Perhaps only the operator learns of it.
  if (rejection && finished.held) return Severity::warning;
  const bool ours = rejection && (rejection->code == ErrorCode::internal_error ||
                                  rejection->code == ErrorCode::request_throttled);
  return ours ? Severity::warning : Severity::debug;
}

}  // namespace

void RequestLog::call_finished(Now, Operation operation, const HttpOutcome& outcome, Health health,
                               Duration took) {
  if (works(health) && !answered_.exchange(true)) {
    log_.write(Severity::info, "the endpoint has answered for the first time since the start",
               {{"operation", to_string(operation)}, {"took", in_milliseconds(took)}});
  }
  // The consequence of a failed call for its request is logged when it is decided.
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  if (failure == nullptr || !log_.enabled(Severity::debug)) return;
  log_.write(Severity::debug, "call failed",
             {{"operation", to_string(operation)},
              {"cause", failure->detail},
              {"took", in_milliseconds(took)}});
}

void RequestLog::decided(Now, const Effects& effects) {
  for (const auto& finished : effects.finished) write(finished);
  for (const auto& change : effects.endpoint_changes) write(change);
  for (const auto& change : effects.access_changes) write(change);
  for (const auto& slowed : effects.slowed_down) write(slowed);
  for (const auto& paused : effects.paused) write(paused);
  for (const auto& transition : effects.illegal_transitions) write(transition);
  for (const auto& topic : effects.retained) write_retained(topic);
}

void RequestLog::write_retained(const std::string& topic) {
  const auto thing = topics_.thing_level(topic);
  {
    const std::lock_guard lock(mutex_);
    if (retained_things_.size() >= max_retained_things) return;
    if (!retained_things_.insert(name_hash(thing)).second) return;
  }
  log_.write(Severity::warning,
             "a retained request was ignored: the broker would deliver it again at every reconnect",
             {{"thing", thing},
              {"topic", topic},
              {"hint",
               "have the device publish requests without the retain flag, and clear this one with "
               "an empty retained message on its topic"}});
}

void RequestLog::write(const Finished& finished) {
  const auto severity = severity_of(finished);
  if (!log_.enabled(severity)) return;
  const auto parsed = topics_.parse(finished.topic);
  const auto* request = std::get_if<TopicRequest>(&parsed);
  const bool rejected = finished.rejection.has_value();
  log_.write(severity, event_of(finished),
             {{"thing", topics_.thing_level(finished.topic)},
              {"operation", finished.operation ? to_string(*finished.operation) : ""},
              {"job", request != nullptr && request->job ? request->job->text() : ""},
              {"topic", finished.operation ? "" : finished.topic},
              {"message", rejected ? finished.rejection->message : ""},
              {"detail", rejected ? finished.rejection->detail : ""},
              {"client_token", shown(finished.client_token)},
              {"calls", std::to_string(finished.calls)},
              {"took", in_milliseconds(finished.took)},
              {"held", finished.held ? "yes" : ""},
              {"outcome", rejected && finished.rejection->maybe_applied ? "unknown" : ""},
              {"endpoint_request_id", finished.endpoint_request_id},
              {"hint", hint_for(finished)}});
}

void RequestLog::write(const EndpointChange& change) {
  const auto held = std::to_string(change.held);
  if (!change.reachable) {
    // Then nothing was sent, so that nothing is known of the endpoint.
    log_.write(Severity::warning,
               change.kind == EndpointFault::no_credentials
                   ? "no call can be signed: calls wait until there are credentials"
                   : "the endpoint is down: calls wait, except for an occasional probe",
               {{"kind", to_string(change.kind)},
                {"cause", change.detail.empty() ? change.cause : change.detail},
                {"updates_held", held},
                {"hint", hint_of(change.kind)}});
    return;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(change.outage).count();
  log_.write(Severity::info, "the endpoint answers again",
             {{"after", std::to_string(seconds) + "s"}, {"updates_held", held}});
}

void RequestLog::write(const AccessChange& change) {
  if (!change.denied) {
    log_.write(Severity::info, "the endpoint allows the gateway access again",
               {{"operation", to_string(change.operation)}});
    return;
  }
  log_.write(Severity::error, "the endpoint denies the gateway access: requests are rejected",
             {{"operation", to_string(change.operation)},
              {"cause", change.detail.empty() ? change.cause : change.detail},
              {"hint", hint_to_allow(policy_action(change.operation))}});
}

void RequestLog::write(const IllegalTransition& transition) {
  log_.write(Severity::error,
             "internal fault: a request was rejected, all others continue; please report this",
             {{"request", std::to_string(transition.request)},
              {"state", to_string(transition.state)},
              {"event", to_string(transition.event)}});
}

void RequestLog::write(const SlowedDown& slowed) {
  log_.write(Severity::warning, "the endpoint throttles: calls are slowed down",
             {{"quota", slowed.kind == QuotaKind::reads ? "reads" : "writes"},
              {"calls_per_second", std::to_string(static_cast<int>(slowed.per_second))},
              {"hint", hint_against_throttling(slowed.kind)}});
}

void RequestLog::write(const Paused& paused) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(paused.length).count();
  const std::string_view quota = paused.kind == QuotaKind::reads ? "reads" : "writes";
  if (paused.over) {
    log_.write(Severity::info, "the endpoint's pause is over: calls resume",
               {{"quota", quota}, {"after", std::to_string(seconds) + "s"}});
  } else {
    log_.write(
        Severity::warning,
        "the endpoint throttles and asked for a pause: calls wait, except for an occasional trial",
        {{"quota", quota},
         {"for_up_to", std::to_string(seconds) + "s"},
         {"hint", hint_against_throttling(paused.kind)}});
  }
}

}  // namespace jobs_bridge
