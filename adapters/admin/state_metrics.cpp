#include "adapters/admin/state_metrics.h"

#include <string>
#include <utility>

namespace jobs_bridge::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Label = ClientMetric::Label;

template <typename Number>
double number(Number value) {
  return static_cast<double>(value);
}

class Writer {
 public:
  /// Begins a family; value() adds to it.
  Writer& gauge(const char* name, const char* help) {
    return family(name, help, MetricType::Gauge);
  }
  Writer& counter(const char* name, const char* help) {
    return family(name, help, MetricType::Counter);
  }
  Writer& value(double value, std::vector<Label> labels = {}) {
    auto& family = families_.back();
    ClientMetric metric;
    metric.label = std::move(labels);
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family.metric.push_back(std::move(metric));
    return *this;
  }
  Families take() { return std::move(families_); }

 private:
  Writer& family(const char* name, const char* help, MetricType type) {
    families_.push_back({.name = name, .help = help, .type = type, .metric = {}});
    return *this;
  }

  Families families_;
};

void write_passage(Writer& out, const Status::Broker& broker) {
  using Verdict = Status::Broker::Passage::Verdict;
  out.gauge("jobs_bridge_jobs_topics_blocked",
            "1 while the self-test shows that Jobs requests (in) do not reach the bridge, or its "
            "replies (out) do not get past the broker");
  for (const auto& [direction, passage] :
       {std::pair("in", &broker.requests), std::pair("out", &broker.replies)}) {
    if (passage->verdict == Verdict::off) continue;
    out.value(passage->verdict == Verdict::bad ? 1 : 0, {{"direction", direction}});
  }
}

void write_broker(Writer& out, const Status::Broker& broker) {
  out.gauge("jobs_bridge_broker_connected", "1 while connected to the broker")
      .value(broker.connected ? 1 : 0);
  if (broker.urls.size() > 1) {
    out.gauge("jobs_bridge_broker_address_connected",
              "1 for the address of broker.url that the bridge is connected to");
    for (const auto& url : broker.urls) {
      out.value(broker.connected && url == broker.url ? 1 : 0, {{"url", url}});
    }
  }
  out.gauge("jobs_bridge_broker_subscribed", "1 while the broker grants every subscription")
      .value(broker.subscribed ? 1 : 0);
  out.gauge("jobs_bridge_broker_flowing",
            "1 once a canary message has come back on this connection")
      .value(broker.flowing ? 1 : 0);
  if (broker.canary) {
    out.gauge("jobs_bridge_canary_round_trip_seconds",
              "How long the last canary message took through the broker")
        .value(in_seconds(broker.round_trip));
  }
  write_passage(out, broker);
  const auto reconnects = broker.connections > 0 ? broker.connections - 1 : 0;
  out.counter("jobs_bridge_broker_reconnects_total",
              "How often the bridge has reconnected to the broker")
      .value(number(reconnects));
  out.gauge("jobs_bridge_replies_waiting", "Publications that have not been sent")
      .value(number(broker.waiting));
  out.gauge("jobs_bridge_replies_unacknowledged", "Publications sent and not acknowledged")
      .value(number(broker.unacknowledged));
  out.counter("jobs_bridge_replies_overflowed_total",
              "Publications dropped because too many were waiting")
      .value(number(broker.overflowed));
  out.counter("jobs_bridge_replies_unpublishable_total",
              "Publications that are invalid, too large, or refused by the broker")
      .value(number(broker.unpublishable));
  out.counter("jobs_bridge_replies_replaced_total",
              "Replies among those that were replaced by a rejection")
      .value(number(broker.replaced));
  out.counter("jobs_bridge_replies_unanswered_total",
              "Replies among those that could not be replaced by a rejection either")
      .value(number(broker.unanswered));
  out.counter("jobs_bridge_replies_retried_total",
              "How often the broker refused a publication that was then sent again")
      .value(number(broker.retried));
}

void write_quota(Writer& out, const Status& status) {
  const auto both = [&](double reads, double writes) {
    out.value(reads, {{"quota", "reads"}}).value(writes, {{"quota", "writes"}});
  };
  out.gauge("jobs_bridge_quota_configured_per_second", "Calls a second; 0: no limit");
  both(status.reads.configured, status.writes.configured);
  out.gauge(
      "jobs_bridge_quota_allowed_per_second",
      "Calls a second allowed now, fewer while the endpoint throttles; 0: paused, or no limit");
  both(status.reads.allowed, status.writes.allowed);
  out.gauge("jobs_bridge_quota_used_per_second", "Calls a second over the last ten seconds");
  both(status.reads.used, status.writes.used);
  out.gauge("jobs_bridge_quota_slowed", "1 while fewer calls are made than configured");
  both(status.reads.slowed ? 1 : 0, status.writes.slowed ? 1 : 0);
  out.gauge("jobs_bridge_quota_paused",
            "1 while no calls but trials are made, because the endpoint asked for a pause");
  both(status.reads.paused_for ? 1 : 0, status.writes.paused_for ? 1 : 0);
}

void write_requests(Writer& out, const Status& status) {
  const auto& requests = status.requests;
  out.gauge("jobs_bridge_requests_waiting", "Requests that wait for a call and are not held")
      .value(number(requests.waiting));
  out.gauge("jobs_bridge_requests_waiting_max", "Maximum number that may wait (limits.queue)")
      .value(number(requests.queue));
  out.gauge("jobs_bridge_requests_pausing", "Requests that wait before their next attempt")
      .value(number(requests.pausing));
  out.gauge("jobs_bridge_updates_held", "Updates past their deadline that wait for the endpoint")
      .value(number(requests.held));
  out.gauge("jobs_bridge_calls_in_flight", "Calls to the endpoint under way")
      .value(number(status.endpoint.calls_in_flight));
  out.gauge("jobs_bridge_calls_in_flight_max", "Maximum number of calls to the endpoint at a time")
      .value(number(status.endpoint.connections));
  out.gauge("jobs_bridge_circuit_open", "1 while the endpoint counts as down")
      .value(status.endpoint.reachable ? 0 : 1);
}

void write_journal(Writer& out, const Status::Journal& journal) {
  out.gauge("jobs_bridge_journal_enabled", "0: updates are held in memory only")
      .value(journal.enabled ? 1 : 0);
  out.gauge("jobs_bridge_journal_entries", "Updates accepted for delivery and not settled")
      .value(number(journal.entries));
  out.gauge("jobs_bridge_journal_bytes", "Size of those updates").value(number(journal.bytes));
  out.gauge("jobs_bridge_journal_max_bytes", "Maximum size of those updates (journal.max_size)")
      .value(number(journal.max_bytes));
  out.gauge("jobs_bridge_journal_failing", "1 while the journal cannot be written")
      .value(journal.failing ? 1 : 0);
  out.counter("jobs_bridge_journal_refused_total", "Updates that could not be recorded")
      .value(number(journal.refused));
  out.gauge("jobs_bridge_journal_longest_unsynced_seconds",
            "The longest time that an entry was not known to be on the disk")
      .value(in_seconds(journal.longest_unsynced));
  if (journal.oldest_held) {
    out.gauge("jobs_bridge_journal_oldest_held_seconds", "Age of the oldest update that is held")
        .value(in_seconds(*journal.oldest_held));
  }
}

void write_credentials(Writer& out, const Status::Credentials& credentials) {
  if (!credentials.used()) return;
  out.gauge("jobs_bridge_credentials_valid", "1 while there are credentials to sign with")
      .value(credentials.valid ? 1 : 0);
  if (credentials.expires) {
    out.gauge("jobs_bridge_credentials_expiry_timestamp_seconds",
              "When the credentials in use expire")
        .value(number(*credentials.expires));
  }
  out.counter("jobs_bridge_credential_renewals_total", "How often the source was asked, by outcome")
      .value(number(credentials.renewals), {{"outcome", "ok"}})
      .value(number(credentials.failures), {{"outcome", "failed"}});
  out.gauge("jobs_bridge_clock_skew_seconds",
            "How far this machine's clock is behind the endpoint's; negative: ahead")
      .value(number(credentials.clock_skew));
}

void write_notifier(Writer& out, const Status::Notifier& notifier) {
  if (!notifier.enabled) return;
  out.gauge("jobs_bridge_notifier_things_watched", "Things polled on behalf of their devices")
      .value(number(notifier.watched));
  out.gauge("jobs_bridge_notifier_interval_seconds", "Current time between two polls of a thing")
      .value(in_seconds(notifier.interval));
  out.counter("jobs_bridge_notifier_things_refused_total",
              "Things not watched because there are too many")
      .value(number(notifier.refused));
  out.counter("jobs_bridge_notifier_polls_total", "Polls of the endpoint")
      .value(number(notifier.polls));
  out.counter("jobs_bridge_notifier_failed_polls_total", "Polls of the endpoint that failed")
      .value(number(notifier.failed_polls));
}

/// The names that every Prometheus client library gives these.
void write_process(Writer& out, const ProcessUsage& process) {
  out.counter("process_cpu_seconds_total", "User and system CPU time spent")
      .value(process.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory").value(number(process.resident));
  out.gauge("process_start_time_seconds", "Start of the process, since 1970")
      .value(process.start_time);
  out.gauge("process_open_fds", "Open file descriptors").value(number(process.open_files));
  out.gauge("process_max_fds", "Maximum number of open file descriptors")
      .value(number(process.max_files));
  out.gauge("process_threads", "Threads").value(number(process.threads));
}

}  // namespace

Families state_metrics(const Status& status) {
  Writer out;
  out.gauge("jobs_bridge_build_info", "1; the version is in the label")
      .value(1, {{"version", status.version}});
  write_requests(out, status);
  out.gauge("jobs_bridge_standing_by", "1 while this instance stands by for another one")
      .value(status.role == "standby" ? 1 : 0);
  write_broker(out, status.broker);
  write_quota(out, status);
  write_journal(out, status.journal);
  write_credentials(out, status.credentials);
  write_notifier(out, status.notifier);
  write_process(out, status.process);
  return out.take();
}

}  // namespace jobs_bridge::admin
