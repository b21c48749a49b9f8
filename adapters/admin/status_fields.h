#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/admin/status.h"
#include "bridge/jobs/operation.h"

/// Each field of a Status described once: its name in /api/status, and the name and help of its
/// metric. status_json and state_metrics visit these descriptions, so a new field is added to
/// Status, to what fills it in, and here; and to status_text.cpp and dashboard.html if people are
/// to read it there. Internal to the adapter.
///
/// A visitor has
///   field(name, value)                   for JSON alone
///   metric(metric, value, labels)        for /metrics alone
///   field(name, value, metric, labels)   for both
/// A value is a bool (1 or 0 as a metric), a number, a text, one of the units below, for JSON also
/// what is described here itself, or a list of these; an optional one without a value is null, and
/// no metric.
namespace jobs_bridge::admin {

struct Metric {
  const char* name;
  const char* help;
  bool counter;  ///< otherwise a gauge
};
constexpr Metric gauge(const char* name, const char* help) {
  return {.name = name, .help = help, .counter = false};
}
constexpr Metric counter(const char* name, const char* help) {
  return {.name = name, .help = help, .counter = true};
}
using Labels = std::vector<std::pair<std::string, std::string>>;

/// A duration that JSON shows in this unit; a metric always is in seconds.
struct Seconds {
  Duration value{};
};
struct Milliseconds {
  Duration value{};
};
/// A number a second.
struct Rate {
  double value = 0;
};

/// The same values in a unit.
template <typename Unit, typename Value>
std::optional<Unit> in(const std::optional<Value>& value) {
  return value ? std::optional(Unit{*value}) : std::nullopt;
}
template <typename Unit, typename Value>
std::vector<std::optional<Unit>> in(const std::vector<Value>& values) {
  std::vector<std::optional<Unit>> all;
  for (const auto& value : values) all.push_back(in<Unit>(std::optional(value)));
  return all;
}

void describe(const Latency& latency, auto& visit) {
  const auto known = [&](Duration duration) {
    return latency.count == 0 ? std::nullopt : std::optional(Milliseconds{duration});
  };
  visit.field("count", latency.count);
  visit.field("p50_ms", known(latency.p50));
  visit.field("p95_ms", known(latency.p95));
  visit.field("p99_ms", known(latency.p99));
}

void describe(const History& history, auto& visit) {
  visit.field("step_seconds", Seconds{history.step});
  visit.field("requests_per_second", in<Rate>(history.requests_per_second));
  visit.field("p50_ms", in<Milliseconds>(history.p50));
  visit.field("p99_ms", in<Milliseconds>(history.p99));
}

constexpr const char* word_for(Status::Broker::Passage::Verdict verdict) {
  using enum Status::Broker::Passage::Verdict;
  switch (verdict) {
    case off:
      return "off";
    case untested:
      return "untested";
    case good:
      return "good";
    case undecided:
      return "unseen";  // older than the name; scripts read it
    case bad:
      break;
  }
  return "bad";
}

void describe(const Status::Broker::Passage& passage, auto& visit) {
  visit.field("verdict", word_for(passage.verdict));
  visit.field("cause", passage.cause);
}

void describe(const Status::Broker::Fault& fault, auto& visit) {
  visit.field("kind", fault.kind);
  visit.field("text", fault.text);
  visit.field("hint", fault.hint);
}

void describe(const Status::Broker::RefusedReply& refused, auto& visit) {
  visit.field("ago_seconds", Seconds{refused.ago});
  visit.field("kind", refused.kind);
  visit.field("topic", refused.topic);
  visit.field("cause", refused.cause);
  visit.field("hint", refused.hint);
}

void describe(const Status::Broker& broker, auto& visit) {
  using Passage = Status::Broker::Passage;
  visit.field("url", broker.url);
  visit.field("urls", broker.urls);
  visit.field("connected", broker.connected,
              gauge("jobs_bridge_broker_connected", "1 while connected to the broker"));
  if (broker.urls.size() > 1) {
    for (const auto& url : broker.urls) {
      visit.metric(gauge("jobs_bridge_broker_address_connected",
                         "1 for the address of broker.url that the bridge is connected to"),
                   broker.connected && url == broker.url, {{"url", url}});
    }
  }
  visit.field(
      "subscribed", broker.subscribed,
      gauge("jobs_bridge_broker_subscribed", "1 while the broker grants every subscription"));
  visit.field("canary", broker.canary);
  visit.field("flowing", broker.flowing,
              gauge("jobs_bridge_broker_flowing",
                    "1 once a canary message has come back on this connection"));
  visit.field("canary_fault", broker.canary_fault);
  visit.field("jobs_requests", broker.requests);
  visit.field("jobs_replies", broker.replies);
  for (const auto& [direction, passage] :
       {std::pair("in", &broker.requests), std::pair("out", &broker.replies)}) {
    if (passage->verdict == Passage::Verdict::off) continue;
    visit.metric(gauge("jobs_bridge_jobs_topics_blocked",
                       "1 while the self-test shows that Jobs requests (in) do not reach the "
                       "bridge, or its replies (out) do not get past the broker"),
                 passage->verdict == Passage::Verdict::bad, {{"direction", direction}});
  }
  visit.field("fault", broker.fault.text);
  visit.field("fault_kind", broker.fault.kind);
  visit.field("fault_hint", broker.fault.hint);
  visit.field("shortcomings", broker.shortcomings);
  visit.field("since_seconds", Seconds{broker.since});
  visit.field("flowed_ago_seconds", in<Seconds>(broker.flowed_ago));
  visit.field("round_trip_ms", Milliseconds{broker.round_trip});
  if (broker.canary) {
    visit.metric(gauge("jobs_bridge_canary_round_trip_seconds",
                       "How long the last canary message took through the broker"),
                 Seconds{broker.round_trip});
  }
  visit.field("reconnects", broker.connections > 0 ? broker.connections - 1 : 0,
              counter("jobs_bridge_broker_reconnects_total",
                      "How often the bridge has reconnected to the broker"));
  visit.field("replies_waiting", broker.waiting,
              gauge("jobs_bridge_replies_waiting", "Publications that have not been sent"));
  visit.field(
      "replies_unacknowledged", broker.unacknowledged,
      gauge("jobs_bridge_replies_unacknowledged", "Publications sent and not acknowledged"));
  visit.field("replies_overflowed", broker.overflowed,
              counter("jobs_bridge_replies_overflowed_total",
                      "Publications dropped because too many were waiting"));
  visit.field("replies_unpublishable", broker.unpublishable,
              counter("jobs_bridge_replies_unpublishable_total",
                      "Publications that are invalid, too large, or refused by the broker"));
  visit.field("replies_replaced", broker.replaced,
              counter("jobs_bridge_replies_replaced_total",
                      "Replies among those that were replaced by a rejection"));
  visit.field("replies_unanswered", broker.unanswered,
              counter("jobs_bridge_replies_unanswered_total",
                      "Replies among those that could not be replaced by a rejection either"));
  visit.field("replies_retried", broker.retried,
              counter("jobs_bridge_replies_retried_total",
                      "How often the broker refused a publication that was then sent again"));
  visit.field("last_refused_reply", broker.last_refused_reply);
  visit.field("refused_filters", broker.refused_filters);
}

void describe(const Status::Endpoint::Denied& denied, auto& visit) {
  visit.field("operation", denied.operation);
  visit.field("action", denied.action);
  visit.field("since_seconds", Seconds{denied.since});
  visit.field("cause", denied.cause);
}

void describe(const Status::Endpoint& endpoint, auto& visit) {
  visit.field("url", endpoint.url);
  visit.field("reachable", endpoint.reachable);
  visit.field("called", endpoint.called);
  visit.field("answered", endpoint.answered);
  visit.metric(gauge("jobs_bridge_circuit_open", "1 while the endpoint counts as down"),
               !endpoint.reachable);
  visit.field("down_for_seconds", in<Seconds>(endpoint.down_for));
  visit.field("cause", endpoint.cause);
  visit.field("fault_kind", endpoint.kind);
  visit.field("hint", endpoint.hint);
  visit.field("denied", endpoint.denied);
  visit.field("denies_all", endpoint.denies_all);
  // For every operation, so that an alert finds its end.
  for (const auto operation : every_operation) {
    const bool denied =
        std::ranges::find(endpoint.denied, to_string(operation),
                          &Status::Endpoint::Denied::operation) != endpoint.denied.end();
    visit.metric(gauge("jobs_bridge_endpoint_access_denied",
                       "1 while the endpoint denies the gateway the operation (HTTP 403)"),
                 denied, {{"operation", std::string(to_string(operation))}});
  }
  visit.field("calls_in_flight", endpoint.calls_in_flight,
              gauge("jobs_bridge_calls_in_flight", "Calls to the endpoint under way"));
  visit.field("connections", endpoint.connections,
              gauge("jobs_bridge_calls_in_flight_max",
                    "Maximum number of calls to the endpoint at a time"));
  visit.field("throttled_per_second", Rate{endpoint.throttled});
  visit.field("latency", endpoint.latency);
}

/// `name`: reads or writes.
void describe(const Status::Quota& quota, const char* name, auto& visit) {
  const Labels labels{{"quota", name}};
  visit.field("configured_per_second", Rate{quota.configured},
              gauge("jobs_bridge_quota_configured_per_second", "Calls a second; 0: no limit"),
              labels);
  visit.field("allowed_per_second", Rate{quota.allowed},
              gauge("jobs_bridge_quota_allowed_per_second",
                    "Calls a second allowed now, fewer while the endpoint throttles; 0: paused, or "
                    "no limit"),
              labels);
  visit.field("slowed", quota.slowed,
              gauge("jobs_bridge_quota_slowed", "1 while fewer calls are made than configured"),
              labels);
  visit.field("paused_for_seconds", in<Seconds>(quota.paused_for));
  visit.metric(
      gauge("jobs_bridge_quota_paused",
            "1 while no calls but trials are made, because the endpoint asked for a pause"),
      quota.paused_for.has_value(), labels);
  visit.field(
      "used_per_second", Rate{quota.used},
      gauge("jobs_bridge_quota_used_per_second", "Calls a second over the last ten seconds"),
      labels);
}

struct ByOperation {
  const std::array<Latency, operation_count>& latencies;
};
void describe(const ByOperation& operations, auto& visit) {
  for (const auto operation : every_operation) {
    visit.field(to_string(operation), operations.latencies.at(index_of(operation)));
  }
}

void describe(const Status::Requests& requests, auto& visit) {
  visit.field("per_second", Rate{requests.per_second});
  visit.field("replies_per_second", Rate{requests.replies_per_second});
  visit.field("rejected_per_second", Rate{requests.rejected_per_second});
  visit.field(
      "waiting", requests.waiting,
      gauge("jobs_bridge_requests_waiting", "Requests that wait for a call and are not held"));
  visit.field(
      "queue", requests.queue,
      gauge("jobs_bridge_requests_waiting_max", "Maximum number that may wait (limits.queue)"));
  visit.field(
      "pausing", requests.pausing,
      gauge("jobs_bridge_requests_pausing", "Requests that wait before their next attempt"));
  visit.field(
      "held", requests.held,
      gauge("jobs_bridge_updates_held", "Updates past their deadline that wait for the endpoint"));
  visit.field("accepted", requests.accepted);
  visit.field("rejected", requests.rejected);
  visit.field("refused", requests.rejected_queue_full);
  visit.field("updates_lost", requests.lost);
  visit.field("updates_rejected_late", requests.rejected_late);
  visit.field("latency", requests.latency);
  visit.field("operations", ByOperation{requests.by_operation});
}

void describe(const Status::Journal& journal, auto& visit) {
  visit.field("enabled", journal.enabled,
              gauge("jobs_bridge_journal_enabled", "0: updates are held in memory only"));
  visit.field(
      "entries", journal.entries,
      gauge("jobs_bridge_journal_entries", "Updates accepted for delivery and not settled"));
  visit.field("bytes", journal.bytes, gauge("jobs_bridge_journal_bytes", "Size of those updates"));
  visit.field(
      "max_bytes", journal.max_bytes,
      gauge("jobs_bridge_journal_max_bytes", "Maximum size of those updates (journal.max_size)"));
  visit.field("failing", journal.failing,
              gauge("jobs_bridge_journal_failing", "1 while the journal cannot be written"));
  visit.field("cause", journal.cause);
  visit.field("disk_stalled_seconds", in<Seconds>(journal.disk_stalled));
  visit.field("refused", journal.not_recorded,
              counter("jobs_bridge_journal_refused_total", "Updates that could not be recorded"));
  visit.field("refused_ago_seconds", in<Seconds>(journal.not_recorded_ago));
  visit.field("refusal", journal.not_recorded_cause);
  visit.field("longest_unsynced_ms", Milliseconds{journal.longest_unsynced},
              gauge("jobs_bridge_journal_longest_unsynced_seconds",
                    "The longest time that an entry was not known to be on the disk"));
  visit.field(
      "oldest_held_seconds", in<Seconds>(journal.oldest_held),
      gauge("jobs_bridge_journal_oldest_held_seconds", "Age of the oldest update that is held"));
}

/// `now`: seconds since 1970. Metrics are asked for only if requests are signed.
void describe(const Status::Credentials& credentials, std::int64_t now, auto& visit) {
  const auto& expires = credentials.expires;
  visit.field("source", credentials.used() ? credentials.source : "none");
  visit.field("valid", credentials.valid,
              gauge("jobs_bridge_credentials_valid", "1 while there are credentials to sign with"));
  visit.field("access_key_ends", credentials.key_ends);
  visit.field("expires", expires,
              gauge("jobs_bridge_credentials_expiry_timestamp_seconds",
                    "When the credentials in use expire"));
  visit.field("seconds_left", expires ? std::optional(*expires - now) : std::nullopt);
  visit.field("renewed_ago_seconds", in<Seconds>(credentials.renewed_ago));
  visit.field("fault", credentials.fault);
  constexpr auto renewals = counter("jobs_bridge_credential_renewals_total",
                                    "How often the source was asked, by outcome");
  visit.field("renewals", credentials.renewals, renewals, {{"outcome", "ok"}});
  visit.field("failures", credentials.failures, renewals, {{"outcome", "failed"}});
  visit.field("clock_skew_seconds", credentials.clock_skew,
              gauge("jobs_bridge_clock_skew_seconds",
                    "How far this machine's clock is behind the endpoint's; negative: ahead"));
}

/// Metrics are asked for only if it is enabled.
void describe(const Status::Notifier& notifier, auto& visit) {
  visit.field("enabled", notifier.enabled);
  visit.field(
      "things_watched", notifier.watched,
      gauge("jobs_bridge_notifier_things_watched", "Things polled on behalf of their devices"));
  visit.field("things_refused", notifier.not_watched,
              counter("jobs_bridge_notifier_things_refused_total",
                      "Things not watched because there are too many"));
  visit.field("polls", notifier.polls,
              counter("jobs_bridge_notifier_polls_total", "Polls of the endpoint"));
  visit.field(
      "failed_polls", notifier.failed_polls,
      counter("jobs_bridge_notifier_failed_polls_total", "Polls of the endpoint that failed"));
  visit.field("notifications", notifier.notifications);
  visit.field(
      "interval_seconds", Seconds{notifier.interval},
      gauge("jobs_bridge_notifier_interval_seconds", "Current time between two polls of a thing"));
}

/// The metrics have the names that every Prometheus client library gives them.
void describe(const ProcessUsage& process, auto& visit) {
  visit.field("cpu_seconds", process.cpu_seconds,
              counter("process_cpu_seconds_total", "User and system CPU time spent"));
  visit.field("resident_bytes", process.resident,
              gauge("process_resident_memory_bytes", "Resident memory"));
  visit.metric(gauge("process_start_time_seconds", "Start of the process, since 1970"),
               process.start_time);
  visit.field("open_files", process.open_files, gauge("process_open_fds", "Open file descriptors"));
  visit.field("max_files", process.max_files,
              gauge("process_max_fds", "Maximum number of open file descriptors"));
  visit.field("threads", process.threads, gauge("process_threads", "Threads"));
}

void describe(const BusyThing& thing, auto& visit) {
  visit.field("thing", thing.thing);
  visit.field("per_minute", Rate{thing.per_minute});
  visit.field("last_code", thing.last_code);
}

void describe(const ErrorEntry& error, auto& visit) {
  visit.field("first", error.first);
  visit.field("last", error.last);
  visit.field("count", error.count);
  visit.field("code", error.code);
  visit.field("thing", error.thing);
  visit.field("several_things", error.several);
  visit.field("operation", error.operation);
  visit.field("message", error.message);
  visit.field("cause", error.cause);
}

}  // namespace jobs_bridge::admin
