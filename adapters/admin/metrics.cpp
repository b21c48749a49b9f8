#include "adapters/admin/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <sstream>
#include <string_view>
#include <utility>
#include <variant>

#include "adapters/admin/activity.h"
#include "adapters/admin/state_metrics.h"
#include "bridge/jobs/rejection.h"

namespace jobs_bridge::admin {
namespace {

using prometheus::Counter;
using prometheus::Histogram;
using CounterFamily = prometheus::Family<Counter>;
using HistogramFamily = prometheus::Family<Histogram>;
using Bounds = Histogram::BucketBoundaries;

constexpr std::array codes{ErrorCode::invalid_topic,         ErrorCode::invalid_json,
                           ErrorCode::invalid_request,       ErrorCode::invalid_state_transition,
                           ErrorCode::resource_not_found,    ErrorCode::version_mismatch,
                           ErrorCode::internal_error,        ErrorCode::request_throttled,
                           ErrorCode::terminal_state_reached};
static_assert(to_string(static_cast<ErrorCode>(codes.size())).empty(), "a code is missing above");

/// For requests and calls: a device waits about ten seconds.
Bounds call_bounds() {
  return {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 8, 10};
}
/// For updates that wait for the end of an outage: minutes, hours and days.
Bounds outage_bounds() {
  return {10, 30, 60, 300, 900, 3600, 10800, 43200, 86400, 259200, 604800};
}

constexpr std::string_view name_of(HttpFailure::Kind kind) {
  switch (kind) {
    case HttpFailure::Kind::resolve:
      return "resolve";
    case HttpFailure::Kind::connect:
    case HttpFailure::Kind::refused:
      return "connect";
    case HttpFailure::Kind::proxy:
      return "proxy";
    case HttpFailure::Kind::tls:
    case HttpFailure::Kind::certificate:
      return "tls";
    case HttpFailure::Kind::timeout:
      return "timeout";
    case HttpFailure::Kind::broken:
      return "broken";
    case HttpFailure::Kind::too_large:
      return "too_large";
    case HttpFailure::Kind::stopped:
      return "stopped";
    case HttpFailure::Kind::credentials:
      return "credentials";
    case HttpFailure::Kind::client_certificate:
      return "client_certificate";
  }
  return {};
}
constexpr std::size_t failure_kinds = 12;
static_assert(name_of(static_cast<HttpFailure::Kind>(failure_kinds)).empty(), "there are more");

CounterFamily& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

HistogramFamily& histograms(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

class Metrics::Implementation {
 public:
  Implementation() {
    for (const auto operation : every_operation) {
      const std::string name(to_string(operation));
      auto& children = of(operation);
      children.outcomes = outcomes(name);
      children.duration = &durations_.Add({{"operation", name}}, call_bounds());
      children.call_duration = &call_durations_.Add({{"operation", name}}, call_bounds());
    }
    no_operation_.outcomes = outcomes("none");
  }

  void request_finished(const Finished& finished) {
    auto& children = finished.operation ? of(*finished.operation) : no_operation_;
    const auto outcome =
        finished.rejection ? 1 + static_cast<std::size_t>(finished.rejection->code) : 0;
    children.outcomes.at(outcome)->Increment();
    if (is_queue_full(finished)) rejected_queue_full_.Increment();
    if (finished.is_lost()) {
      lost_.Increment();
    } else if (finished.held && finished.rejection) {
      rejected_late_.Increment();
    }
    if (finished.held) {
      held_duration_.Observe(in_seconds(finished.took));
    } else if (children.duration != nullptr) {
      children.duration->Observe(in_seconds(finished.took));
    }
  }

  void call_finished(Operation operation, const HttpOutcome& outcome, Duration took) {
    auto& children = of(operation);
    if (const auto* response = std::get_if<HttpResponse>(&outcome)) {
      const bool valid = response->status >= 100 && response->status < 600;
      const auto status = valid ? static_cast<std::size_t>(response->status) : 0;
      count_call(children.answers.at(status), operation,
                 valid ? std::to_string(status) : "invalid");
    } else {
      const auto kind = std::get<HttpFailure>(outcome).kind;
      count_call(children.failures.at(static_cast<std::size_t>(kind)), operation,
                 std::string(name_of(kind)));
    }
    children.call_duration->Observe(in_seconds(took));
  }

  void decided(const Effects& effects) {
    for (const auto& finished : effects.finished) request_finished(finished);
    for (const auto& notified : effects.notified) this->notified(notified);
    for (const auto& change : effects.endpoint_changes) {
      if (!change.reachable) outages_.Increment();
    }
    for (const auto& slowed : effects.slowed_down) {
      (slowed.kind == QuotaKind::reads ? slowed_reads_ : slowed_writes_).Increment();
    }
    for (const auto& paused : effects.paused) {
      if (paused.over) continue;
      (paused.kind == QuotaKind::reads ? paused_reads_ : paused_writes_).Increment();
    }
    for (std::size_t i = 0; i < effects.illegal_transitions.size(); ++i) {
      internal_faults_.Increment();
    }
  }

  void notified(const Notified& notified) {
    if (notified.notify) notify_.Increment();
    if (notified.notify_next) notify_next_.Increment();
    notification_delay_.Observe(in_seconds(notified.delay));
  }

  [[nodiscard]] std::string text(const Status& status) const {
    auto families = registry_.Collect();
    for (auto& family : state_metrics(status)) families.push_back(std::move(family));
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return std::move(out).str();
  }

 private:
  using Outcomes = std::array<Counter*, 1 + codes.size()>;
  /// A counter that exists once it has something to count.
  using Lazy = std::atomic<Counter*>;
  struct Children {
    Outcomes outcomes{};
    Histogram* duration = nullptr;
    Histogram* call_duration = nullptr;
    std::array<Lazy, 600> answers{};  ///< by HTTP status; 0: any other status
    std::array<Lazy, failure_kinds> failures{};
  };

  Outcomes outcomes(const std::string& operation) {
    Outcomes children{};
    children[0] = &requests_.Add({{"operation", operation}, {"outcome", "accepted"}});
    for (std::size_t index = 0; index < codes.size(); ++index) {
      // Prometheus counts increases from the first value that it sees: a counter that is created
      // with the value 1 hides the first rejection.
      children.at(1 + static_cast<std::size_t>(codes.at(index))) = &requests_.Add(
          {{"operation", operation}, {"outcome", std::string(to_string(codes.at(index)))}});
    }
    return children;
  }

  Children& of(Operation operation) { return by_operation_.at(index_of(operation)); }

  void count_call(Lazy& lazy, Operation operation, std::string status) {
    auto* counter = lazy.load(std::memory_order_acquire);
    if (counter == nullptr) {
      // Two threads that get here at the same time get the same counter.
      counter = &calls_.Add(
          {{"operation", std::string(to_string(operation))}, {"status", std::move(status)}});
      lazy.store(counter, std::memory_order_release);
    }
    counter->Increment();
  }

  prometheus::Registry registry_;
  CounterFamily& requests_ = counters(registry_, "jobs_bridge_requests_total",
                                      "Requests of devices that were answered, by outcome: "
                                      "accepted, or the code of the rejection");
  HistogramFamily& durations_ =
      histograms(registry_, "jobs_bridge_request_duration_seconds",
                 "From the receipt of a request to the hand-over of its reply to the broker");
  Histogram& held_duration_ =
      histograms(registry_, "jobs_bridge_held_update_duration_seconds",
                 "The same for updates that were held for longer than their device waits")
          .Add({}, outage_bounds());
  Counter& rejected_queue_full_ = counters(registry_, "jobs_bridge_requests_refused_total",
                                           "Requests rejected immediately because a queue was full")
                                      .Add({});
  Counter& lost_ =
      counters(registry_, "jobs_bridge_updates_lost_total",
               "Updates given up: held for too long, not in a journal when the bridge stopped, or "
               "with an outcome that the endpoint does not tell")
          .Add({});
  Counter& rejected_late_ = counters(registry_, "jobs_bridge_updates_rejected_late_total",
                                     "Updates rejected after their devices had stopped waiting")
                                .Add({});
  CounterFamily& calls_ = counters(registry_, "jobs_bridge_endpoint_calls_total",
                                   "Calls to the endpoint, by HTTP status or kind of failure");
  HistogramFamily& call_durations_ =
      histograms(registry_, "jobs_bridge_endpoint_duration_seconds",
                 "From a call handed to its connection to its outcome, one attempt");
  CounterFamily& notifications_ = counters(registry_, "jobs_bridge_notifications_total",
                                           "Notifications to devices of a change in their queue");
  Counter& notify_ = notifications_.Add({{"kind", "notify"}});
  Counter& notify_next_ = notifications_.Add({{"kind", "notify-next"}});
  Histogram& notification_delay_ =
      histograms(
          registry_, "jobs_bridge_notification_delay_seconds",
          "The longest time that a change can have gone unnoticed before its device was notified")
          .Add({}, Bounds{.1, .5, 1, 5, 15, 30, 60, 120, 300, 600, 1800});
  Counter& outages_ = counters(registry_, "jobs_bridge_endpoint_outages_total",
                               "How often the endpoint was found to be down")
                          .Add({});
  Counter& internal_faults_ =
      counters(registry_, "jobs_bridge_internal_faults_total",
               "Requests rejected because of a fault in the bridge itself: please report it")
          .Add({});
  CounterFamily& slowdowns_ =
      counters(registry_, "jobs_bridge_slowdowns_total",
               "How often calls were slowed down because the endpoint throttles");
  Counter& slowed_reads_ = slowdowns_.Add({{"quota", "reads"}});
  Counter& slowed_writes_ = slowdowns_.Add({{"quota", "writes"}});

  CounterFamily& pauses_ =
      counters(registry_, "jobs_bridge_pauses_total",
               "How often the endpoint asked for a pause because it throttles");
  Counter& paused_reads_ = pauses_.Add({{"quota", "reads"}});
  Counter& paused_writes_ = pauses_.Add({{"quota", "writes"}});

  std::array<Children, operation_count> by_operation_;
  Children no_operation_;
};

Metrics::Metrics() : implementation_(std::make_unique<Implementation>()) {}
Metrics::~Metrics() = default;

void Metrics::call_finished(Now, Operation operation, const HttpOutcome& outcome, Health,
                            Duration took) {
  implementation_->call_finished(operation, outcome, took);
}
void Metrics::decided(Now, const Effects& effects) {
  implementation_->decided(effects);
}
std::string Metrics::text(const Status& status) const {
  return implementation_->text(status);
}

}  // namespace jobs_bridge::admin
