#include "adapters/admin/activity.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "bridge/jobs/rejection.h"

namespace jobs_bridge::admin {
namespace {

using namespace std::chrono_literals;

constexpr auto slice = 5s;
constexpr std::size_t slices_of_history = 61;  ///< five minutes, and the present one
constexpr std::size_t slices_of_minute = 12;
constexpr Duration last_minute = 1min;
constexpr std::size_t things_tracked = 256;
constexpr Duration half_life = 1min;
constexpr std::size_t things_shown = 10;
constexpr std::size_t max_name = 128;

LatencyWindow of_minute() {
  return {slices_of_minute, slice};
}

void fill_history(History& history, const std::vector<Latency>& course) {
  history = {.step = slice, .requests_per_second = {}, .p50 = {}, .p99 = {}};
  for (const auto& latency : course) {
    history.requests_per_second.push_back(static_cast<double>(latency.count) /
                                          static_cast<double>(std::chrono::seconds(slice).count()));
    const bool any = latency.count > 0;
    history.p50.push_back(any ? std::optional(latency.p50) : std::nullopt);
    history.p99.push_back(any ? std::optional(latency.p99) : std::nullopt);
  }
}

std::vector<BusyThing> busy_things(const HeavyHitters& hitters, MonotonicTime now) {
  std::vector<BusyThing> things;
  for (auto& entry : hitters.top(now, things_shown)) {
    things.push_back({std::move(entry.name), entry.per_minute, std::move(entry.note)});
  }
  return things;
}

/// One that concerns no thing.
ErrorEntry error(Now now, std::string code, std::string message, std::string cause = {}) {
  ErrorEntry entry;
  entry.last = now.unix_seconds;
  entry.code = std::move(code);
  entry.message = std::move(message);
  entry.cause = std::move(cause);
  return entry;
}

}  // namespace

bool is_queue_full(const Finished& finished) {
  return finished.rejection && finished.rejection->code == ErrorCode::request_throttled &&
         finished.took == Duration::zero() && finished.endpoint_request_id.empty();
}

Activity::Activity(TopicGrammar topics)
    : topics_(std::move(topics)),
      requests_(slices_of_history, slice),
      by_operation_(operation_count, of_minute()),
      endpoint_(slices_of_minute, slice),
      busiest_(things_tracked, half_life),
      failing_(things_tracked, half_life) {}

std::string_view Activity::thing_of(const std::string& topic) const {
  return topics_.thing_level(topic).substr(0, max_name);
}

void Activity::note_rejection(const Finished& finished, Now now) {
  const auto& rejection = *finished.rejection;
  const auto thing = thing_of(finished.topic);
  const auto code = to_string(rejection.code);
  ++rejected_;
  if (is_queue_full(finished)) ++rejected_queue_full_;
  if (finished.is_lost()) {
    ++lost_;
  } else if (finished.held) {
    ++rejected_late_;
  }
  rejections_.add(now.monotonic);
  failing_.add(now.monotonic, thing, code);
  ErrorEntry entry;
  entry.last = now.unix_seconds;
  entry.code = code;
  if (finished.held) entry.code = "rejected late: " + entry.code;
  if (finished.is_lost()) entry.code = "update lost: " + std::string(code);
  entry.thing = thing;
  entry.operation = finished.operation ? to_string(*finished.operation) : std::string_view();
  entry.message = rejection.message;
  entry.cause = rejection.detail;
  errors_.add(std::move(entry));
}

void Activity::received(Now now) {
  const std::lock_guard lock(mutex_);
  received_.add(now.monotonic);
}

void Activity::note_finished(const Finished& finished, Now now) {
  finished_.add(now.monotonic);
  busiest_.add(now.monotonic, thing_of(finished.topic));
  // The duration of a held update tells how long the endpoint was away, not how fast the bridge is.
  if (!finished.held) {
    requests_.add(now.monotonic, finished.took);
    if (finished.operation) {
      by_operation_.at(index_of(*finished.operation)).add(now.monotonic, finished.took);
    }
  }
  if (finished.rejection) {
    note_rejection(finished, now);
  } else {
    ++accepted_;
  }
}

void Activity::call_finished(Now now, Operation operation, const HttpOutcome& outcome,
                             Health health, Duration took) {
  const std::lock_guard lock(mutex_);
  (facts_of(operation).quota == QuotaKind::reads ? reads_ : writes_).add(now.monotonic);
  if (std::holds_alternative<HttpResponse>(outcome)) endpoint_.add(now.monotonic, took);
  if (health == Health::throttling) throttled_.add(now.monotonic);
  called_ = true;
  if (works(health)) answered_ = true;
}

void Activity::note_endpoint(const EndpointChange& change, Now now) {
  if (change.reachable) {
    down_since_.reset();
    down_cause_.clear();
    down_kind_ = EndpointFault::none;
    return;
  }
  down_since_ = now.monotonic;
  down_cause_ = change.detail.empty() ? change.cause : change.detail;
  down_kind_ = change.kind;
  errors_.add(error(now, "endpoint down", "calls wait until it answers again", down_cause_));
}

void Activity::note_access(const AccessChange& change, Now now) {
  auto& denied = denied_.at(index_of(change.operation));
  denied.reset();
  if (!change.denied) return;
  denied =
      Denied{.since = now.monotonic, .cause = change.detail.empty() ? change.cause : change.detail};
  errors_.add(error(now, "access denied",
                    "the endpoint denies the gateway " + std::string(to_string(change.operation)),
                    denied->cause));
}

void Activity::decided(Now now, const Effects& effects) {
  if (effects.finished.empty() && effects.endpoint_changes.empty() &&
      effects.access_changes.empty() && effects.slowed_down.empty() && effects.paused.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& finished : effects.finished) note_finished(finished, now);
  for (const auto& change : effects.endpoint_changes) note_endpoint(change, now);
  for (const auto& change : effects.access_changes) note_access(change, now);
  for (const auto& slowed : effects.slowed_down) {
    errors_.add(
        error(now, "throttled",
              slowed.kind == QuotaKind::reads
                  ? "the endpoint throttles reads (get, describe): calls are slowed down"
                  : "the endpoint throttles writes (start-next, update): calls are slowed down"));
  }
  for (const auto& paused : effects.paused) {
    if (paused.over) continue;
    errors_.add(error(now, "paused",
                      paused.kind == QuotaKind::reads
                          ? "the endpoint asked for a pause of reads (get, describe)"
                          : "the endpoint asked for a pause of writes (start-next, update)"));
  }
}

void Activity::describe(Status& status, Now now) const {
  const auto moment = now.monotonic;
  const std::lock_guard lock(mutex_);
  auto& requests = status.requests;
  requests.per_second = received_.per_second(moment);
  requests.replies_per_second = finished_.per_second(moment);
  requests.rejected_per_second = rejections_.per_second(moment);
  requests.accepted = accepted_;
  requests.rejected = rejected_;
  requests.rejected_queue_full = rejected_queue_full_;
  requests.lost = lost_;
  requests.rejected_late = rejected_late_;
  requests.latency = requests_.over(moment, last_minute);
  for (std::size_t index = 0; index < by_operation_.size(); ++index) {
    requests.by_operation.at(index) = by_operation_.at(index).over(moment, last_minute);
  }
  fill_history(status.history, requests_.course(moment));
  status.endpoint.called = called_;
  status.endpoint.answered = answered_;
  status.endpoint.latency = endpoint_.over(moment, last_minute);
  status.endpoint.throttled = throttled_.per_second(moment);
  status.endpoint.cause = down_cause_;
  status.endpoint.kind = to_string(down_kind_);
  status.endpoint.hint = hint_of(down_kind_);
  for (const auto operation : every_operation) {
    const auto& denied = denied_.at(index_of(operation));
    if (!denied) continue;
    status.endpoint.denied.push_back({.operation = std::string(to_string(operation)),
                                      .action = policy_action(operation),
                                      .since = moment - denied->since,
                                      .cause = denied->cause});
  }
  status.endpoint.down_for.reset();
  if (down_since_) status.endpoint.down_for = moment - *down_since_;
  status.reads.used = reads_.per_second(moment);
  status.writes.used = writes_.per_second(moment);
  status.busiest = busy_things(busiest_, moment);
  status.failing = busy_things(failing_, moment);
  status.errors = errors_.entries();
}

}  // namespace jobs_bridge::admin
