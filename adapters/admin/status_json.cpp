#include "adapters/admin/status_json.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "bridge/jobs/operation.h"

namespace jobs_bridge::admin {
namespace {

using nlohmann::ordered_json;

/// Rounded, since further digits are of no use.
double rounded(double value, double digits) {
  return std::round(value * digits) / digits;
}
double rate(double value) {
  return rounded(value, 100);
}
double seconds(Duration duration) {
  return rounded(in_seconds(duration), 1000);
}
double milliseconds(Duration duration) {
  return rounded(std::chrono::duration<double, std::milli>(duration).count(), 1000);
}
ordered_json seconds(const std::optional<Duration>& duration) {
  return duration ? ordered_json(seconds(*duration)) : ordered_json(nullptr);
}

ordered_json to_json(const std::vector<Reason>& reasons) {
  auto all = ordered_json::array();
  for (const auto& reason : reasons) {
    all.push_back({{"code", reason.code}, {"message", reason.message}, {"cure", reason.hint}});
    if (!reason.kind.empty()) all.back()["kind"] = reason.kind;
  }
  return all;
}

ordered_json to_json(const Latency& latency) {
  const auto known = [&](Duration duration) {
    return latency.count == 0 ? ordered_json(nullptr) : ordered_json(milliseconds(duration));
  };
  return {{"count", latency.count},
          {"p50_ms", known(latency.p50)},
          {"p95_ms", known(latency.p95)},
          {"p99_ms", known(latency.p99)}};
}

ordered_json to_json(const std::optional<Status::Broker::RefusedReply>& refused) {
  if (!refused) return nullptr;
  return {{"ago_seconds", seconds(refused->ago)},
          {"kind", refused->kind},
          {"topic", refused->topic},
          {"cause", refused->cause},
          {"hint", refused->hint}};
}

ordered_json to_json(const Status::Broker::Passage& passage) {
  using Verdict = Status::Broker::Passage::Verdict;
  const auto word = [&] {
    switch (passage.verdict) {
      case Verdict::off:
        return "off";
      case Verdict::untested:
        return "untested";
      case Verdict::good:
        return "good";
      case Verdict::unseen:
        return "unseen";
      case Verdict::bad:
        break;
    }
    return "bad";
  };
  return {{"verdict", word()}, {"cause", passage.cause}};
}

ordered_json to_json(const std::vector<Status::Broker::Fault>& faults) {
  auto all = ordered_json::array();
  for (const auto& fault : faults) {
    all.push_back({{"kind", fault.kind}, {"text", fault.text}, {"hint", fault.hint}});
  }
  return all;
}

ordered_json to_json(const Status::Broker& broker) {
  return {{"url", broker.url},
          {"urls", broker.urls},
          {"connected", broker.connected},
          {"subscribed", broker.subscribed},
          {"canary", broker.canary},
          {"flowing", broker.flowing},
          {"canary_fault", broker.canary_fault},
          {"jobs_requests", to_json(broker.requests)},
          {"jobs_replies", to_json(broker.replies)},
          {"fault", broker.fault.text},
          {"fault_kind", broker.fault.kind},
          {"fault_hint", broker.fault.hint},
          {"shortcomings", to_json(broker.shortcomings)},
          {"since_seconds", seconds(broker.since)},
          {"flowed_ago_seconds", seconds(broker.flowed_ago)},
          {"round_trip_ms", milliseconds(broker.round_trip)},
          {"reconnects", broker.connections > 0 ? broker.connections - 1 : 0},
          {"replies_waiting", broker.waiting},
          {"replies_unacknowledged", broker.unacknowledged},
          {"replies_overflowed", broker.overflowed},
          {"replies_unpublishable", broker.unpublishable},
          {"replies_replaced", broker.replaced},
          {"replies_unanswered", broker.unanswered},
          {"replies_retried", broker.retried},
          {"last_refused_reply", to_json(broker.last_refused_reply)},
          {"refused_filters", broker.refused_filters}};
}

ordered_json to_json(const Status::Endpoint& endpoint) {
  return {{"url", endpoint.url},
          {"reachable", endpoint.reachable},
          {"down_for_seconds", seconds(endpoint.down_for)},
          {"cause", endpoint.cause},
          {"calls_in_flight", endpoint.calls_in_flight},
          {"connections", endpoint.connections},
          {"throttled_per_second", rate(endpoint.throttled)},
          {"latency", to_json(endpoint.latency)}};
}

ordered_json to_json(const Status::Quota& quota) {
  return {{"configured_per_second", rate(quota.configured)},
          {"allowed_per_second", rate(quota.allowed)},
          {"slowed", quota.slowed},
          {"paused_for_seconds", seconds(quota.paused_for)},
          {"used_per_second", rate(quota.used)}};
}

ordered_json to_json(const Status::Requests& requests) {
  auto operations = ordered_json::object();
  for (const auto operation : every_operation) {
    operations[std::string(to_string(operation))] =
        to_json(requests.by_operation.at(index_of(operation)));
  }
  return {{"per_second", rate(requests.per_second)},
          {"replies_per_second", rate(requests.replies_per_second)},
          {"rejected_per_second", rate(requests.rejected_per_second)},
          {"waiting", requests.waiting},
          {"queue", requests.queue},
          {"pausing", requests.pausing},
          {"held", requests.held},
          {"accepted", requests.accepted},
          {"rejected", requests.rejected},
          {"refused", requests.refused},
          {"updates_lost", requests.lost},
          {"updates_rejected_late", requests.rejected_late},
          {"latency", to_json(requests.latency)},
          {"operations", std::move(operations)}};
}

ordered_json to_json(const History& history) {
  auto rates = ordered_json::array();
  for (const auto value : history.requests_per_second) rates.push_back(rate(value));
  const auto course = [](const std::vector<std::optional<Duration>>& durations) {
    auto values = ordered_json::array();
    for (const auto& duration : durations) {
      values.push_back(duration ? ordered_json(milliseconds(*duration)) : ordered_json(nullptr));
    }
    return values;
  };
  return {{"step_seconds", seconds(history.step)},
          {"requests_per_second", std::move(rates)},
          {"p50_ms", course(history.p50)},
          {"p99_ms", course(history.p99)}};
}

ordered_json to_json(const Status::Journal& journal) {
  return {{"enabled", journal.enabled},
          {"entries", journal.entries},
          {"bytes", journal.bytes},
          {"max_bytes", journal.max_bytes},
          {"failing", journal.failing},
          {"cause", journal.cause},
          {"disk_stalled_seconds", seconds(journal.disk_stalled)},
          {"refused", journal.refused},
          {"longest_unsynced_ms", milliseconds(journal.longest_unsynced)},
          {"oldest_held_seconds", seconds(journal.oldest_held)}};
}

ordered_json to_json(const Status::Credentials& credentials, std::int64_t now) {
  const auto& expires = credentials.expires;
  return {{"source", credentials.used() ? credentials.source : "none"},
          {"valid", credentials.valid},
          {"access_key_ends", credentials.key_ends},
          {"expires", expires ? ordered_json(*expires) : ordered_json(nullptr)},
          {"seconds_left", expires ? ordered_json(*expires - now) : ordered_json(nullptr)},
          {"renewed_ago_seconds", seconds(credentials.renewed_ago)},
          {"fault", credentials.fault},
          {"renewals", credentials.renewals},
          {"failures", credentials.failures},
          {"clock_skew_seconds", credentials.clock_skew}};
}

ordered_json to_json(const Status::Notifier& notifier) {
  return {{"enabled", notifier.enabled},
          {"things_watched", notifier.watched},
          {"things_refused", notifier.refused},
          {"polls", notifier.polls},
          {"failed_polls", notifier.failed_polls},
          {"notifications", notifier.notifications},
          {"interval_seconds", seconds(notifier.interval)}};
}

ordered_json to_json(const std::vector<BusyThing>& things) {
  auto all = ordered_json::array();
  for (const auto& thing : things) {
    all.push_back({{"thing", thing.thing},
                   {"per_minute", rate(thing.per_minute)},
                   {"last_code", thing.last_code}});
  }
  return all;
}

ordered_json to_json(const std::vector<ErrorEntry>& errors) {
  auto all = ordered_json::array();
  for (const auto& error : errors) {
    all.push_back({{"first", error.first},
                   {"last", error.last},
                   {"count", error.count},
                   {"code", error.code},
                   {"thing", error.thing},
                   {"several_things", error.several},
                   {"operation", error.operation},
                   {"message", error.message},
                   {"cause", error.cause}});
  }
  return all;
}

ordered_json to_json(const ProcessUsage& process) {
  return {{"cpu_seconds", rounded(process.cpu_seconds, 1000)},
          {"resident_bytes", process.resident},
          {"open_files", process.open_files},
          {"max_files", process.max_files},
          {"threads", process.threads}};
}

std::string text_of(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json to_json(const Verdict& verdict) {
  return {{"ready", verdict.ready()},
          {"reasons", to_json(verdict.reasons)},
          {"warnings", to_json(verdict.warnings)}};
}

}  // namespace

std::string status_json(const Status& status, const Verdict& verdict) {
  ordered_json json{{"version", status.version},
                    {"now", status.now},
                    {"started", status.started},
                    {"uptime_seconds", seconds(status.uptime)}};
  json.update(to_json(verdict));
  json["role"] = status.role.empty() ? ordered_json(nullptr) : ordered_json(status.role);
  json["broker"] = to_json(status.broker);
  json["endpoint"] = to_json(status.endpoint);
  json["quota"] = {{"reads", to_json(status.reads)}, {"writes", to_json(status.writes)}};
  json["requests"] = to_json(status.requests);
  json["history"] = to_json(status.history);
  json["journal"] = to_json(status.journal);
  json["credentials"] = to_json(status.credentials, status.now);
  json["notifier"] = to_json(status.notifier);
  json["busiest"] = to_json(status.busiest);
  json["failing"] = to_json(status.failing);
  json["errors"] = to_json(status.errors);
  json["process"] = to_json(status.process);
  return text_of(json);
}

std::string readiness_json(const Verdict& verdict) {
  return text_of(to_json(verdict));
}

std::string readiness_text(const Verdict& verdict) {
  std::string text = verdict.ready() ? "ready\n" : "not ready\n";
  const auto add = [&](const char* kind, const Reason& reason) {
    text += std::string(kind) + reason.code + ": " + reason.message + ". " + reason.hint +
            (reason.kind.empty() ? "" : " [" + reason.kind + "]") + "\n";
  };
  for (const auto& reason : verdict.reasons) add("", reason);
  for (const auto& warning : verdict.warnings) add("warning: ", warning);
  return text;
}

}  // namespace jobs_bridge::admin
