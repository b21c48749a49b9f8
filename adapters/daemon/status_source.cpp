#include "adapters/daemon/status_source.h"

#include <chrono>
#include <stdexcept>
#include <string>

#include "adapters/daemon/clocks.h"

namespace jobs_bridge {
namespace {

using namespace std::chrono_literals;

/// If its timers are this late, the engine is stuck and not merely slow: then they are late by a
/// second at most.
constexpr Duration stuck = 10s;

constexpr std::size_t shown_of_key = 4;

std::optional<admin::Status::Broker::RefusedReply> describe(
    const std::optional<mqtt::Sender::Refused>& refused, Now now) {
  if (!refused) return std::nullopt;
  return admin::Status::Broker::RefusedReply{.ago = now.monotonic - refused->at,
                                             .kind = std::string(to_string(refused->kind)),
                                             .topic = refused->topic,
                                             .cause = refused->detail,
                                             .hint = std::string(hint_of(refused->kind))};
}

admin::Status::Broker::Passage describe(mqtt::TopicTest::Verdict verdict, const std::string& cause,
                                        std::string_view hint) {
  using Tested = mqtt::TopicTest::Verdict;
  using Shown = admin::Status::Broker::Passage::Verdict;
  const auto shown = [&] {
    switch (verdict) {
      case Tested::off:
        return Shown::off;
      case Tested::untested:
        return Shown::untested;
      case Tested::good:
        return Shown::good;
      case Tested::undecided:
        return Shown::undecided;
      case Tested::bad:
        break;
    }
    return Shown::bad;
  };
  return {.verdict = shown(), .cause = cause, .hint = std::string(hint)};
}

admin::Status::Broker::Fault describe(const std::optional<mqtt::BrokerFault>& fault) {
  if (!fault) return {};
  return {.kind = std::string(to_string(fault->kind)),
          .text = text_of(*fault),
          .hint = std::string(hint_of(fault->kind))};
}

admin::Status::Quota quota(std::uint64_t configured, const Dispatcher::Snapshot::Pace& pace) {
  return {.configured = static_cast<double>(configured),
          .allowed = pace.paused_for ? 0 : pace.per_second,
          .slowed = pace.slowed,
          .paused_for = pace.paused_for,
          .used = 0};
}

}  // namespace

StatusSource::StatusSource(const config::Configuration& configuration, Parts parts)
    : parts_(parts), started_(read_clocks()), configuration_(configuration) {}

void StatusSource::set_limits(const config::Configuration::Limits& limits) {
  const std::lock_guard lock(mutex_);
  configuration_.limits = limits;
}

admin::Status StatusSource::take() const {
  const std::lock_guard lock(mutex_);
  const auto now = read_clocks();
  const auto flow = parts_.dispatcher.snapshot();
  if (flow.overdue > stuck) throw std::runtime_error("the engine does not respond");

  admin::Status status;
  status.version = JOBS_BRIDGE_VERSION;
  status.now = now.unix_seconds;
  status.started = started_.unix_seconds;
  status.uptime = now.monotonic - started_.monotonic;
  status.stopping = flow.stopping;
  if (flow.lease) status.role = to_string(*flow.lease);
  fill_broker(status, now);
  fill_flow(status, flow);
  fill_journal(status, flow, now);
  fill_credentials(status, now);
  parts_.activity.describe(status, now);
  return status;
}

void StatusSource::fill_broker(admin::Status& status, Now now) const {
  const auto state = parts_.broker.state();
  status.broker = {
      .url = config::address_of(configuration_.broker.urls[state.address]),
      .urls = {},
      .connected = state.connected,
      .subscribed = state.subscribed,
      .canary = state.canary,
      .flowing = state.flowing,
      .canary_fault = state.canary_fault,
      .canary_hint = parts_.broker.hints().canary,
      .requests = describe(state.topics.requests, state.topics.requests_cause,
                           parts_.broker.hints().requests),
      .replies =
          describe(state.topics.replies, state.topics.replies_cause, parts_.broker.hints().replies),
      .fault = describe(state.fault),
      .shortcomings = {},
      .since = now.monotonic - state.since,
      .flowed_ago = state.flowed ? std::optional(now.monotonic - *state.flowed) : std::nullopt,
      .round_trip = state.round_trip,
      .connections = state.connections,
      .waiting = state.waiting,
      .unacknowledged = state.unacknowledged,
      .overflowed = state.overflowed,
      .unpublishable = state.unpublishable,
      .replaced = state.replaced,
      .unanswered = state.unanswered,
      .retried = state.retried,
      .last_refused_reply = describe(state.last_refused, now),
      .refused_filters = state.refused,
      .filter_refusal = describe(state.refusal)};
  for (const auto& url : configuration_.broker.urls) {
    status.broker.urls.push_back(config::address_of(url));
  }
  for (const auto& shortcoming : state.shortcomings) {
    status.broker.shortcomings.push_back(describe(shortcoming));
  }
}

void StatusSource::fill_flow(admin::Status& status, const Dispatcher::Snapshot& flow) const {
  status.endpoint.url = config::address_of(configuration_.endpoint.url);
  status.endpoint.reachable = flow.counts.endpoint_reachable;
  status.endpoint.denies_all = flow.denies_all;
  status.endpoint.calls_in_flight = flow.counts.in_flight;
  status.endpoint.connections = configuration_.endpoint.connections;
  status.reads = quota(configuration_.limits.reads_per_second, flow.reads);
  status.writes = quota(configuration_.limits.writes_per_second, flow.writes);
  status.requests.waiting = flow.counts.waiting;
  status.requests.queue = configuration_.limits.queue;
  status.requests.pausing = flow.counts.pausing;
  status.requests.held = flow.counts.held;
  status.notifier = {.enabled = configuration_.notify.enabled,
                     .watched = flow.notifier.watched,
                     .not_watched = flow.notifier.not_watched,
                     .polls = flow.notifier.calls,
                     .failed_polls = flow.notifier.failed_calls,
                     .notifications = flow.notifier.notifications,
                     .interval = flow.notifier.interval};
}

void StatusSource::fill_journal(admin::Status& status, const Dispatcher::Snapshot& flow,
                                Now now) const {
  status.journal.entries = flow.counts.updates + flow.counts.answered;
  status.journal.bytes = flow.counts.update_bytes;
  status.journal.max_bytes = configuration_.journal.max_size;
  status.journal.oldest_held = flow.oldest_held;
  if (parts_.journal == nullptr) return;
  const auto state = parts_.journal->state();
  status.journal.enabled = true;
  status.journal.path = configuration_.journal.path;
  status.journal.failing = state.failing;
  status.journal.cause = state.cause;
  status.journal.hint = state.hint;
  status.journal.takes_what_fits = state.takes_what_fits;
  status.journal.disk_stalled = state.disk_stalled;
  status.journal.not_recorded = state.not_recorded;
  if (state.last_not_recorded) {
    status.journal.not_recorded_ago = now.monotonic - state.last_not_recorded->at;
    status.journal.not_recorded_cause = state.last_not_recorded->cause;
  }
  status.journal.longest_unsynced = state.longest_unsynced;
}

void StatusSource::fill_credentials(admin::Status& status, Now now) const {
  auto& credentials = status.credentials;
  credentials.source = "none";
  const auto* keeper = parts_.endpoint.credentials();
  if (keeper == nullptr) return;
  const auto state = keeper->state();
  const auto& key = state.access_key_id;
  credentials = {
      .source = state.source,
      .valid = state.valid,
      // Enough to tell two keys apart, as the AWS CLI shows it.
      .key_ends = key.size() > shown_of_key ? key.substr(key.size() - shown_of_key) : "",
      .expires = state.expiration,
      .renewed_ago = state.obtained ? std::optional(now.monotonic - *state.obtained) : std::nullopt,
      .fault = state.fault,
      .renewals = state.renewals,
      .failures = state.failures,
      .clock_skew = parts_.endpoint.clock() == nullptr ? 0 : parts_.endpoint.clock()->skew()};
}

}  // namespace jobs_bridge
