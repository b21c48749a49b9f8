#include "adapters/admin/state_metrics.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "adapters/admin/status_fields.h"

namespace jobs_bridge::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

template <typename Number>
requires std::is_arithmetic_v<Number>
double metric_value(Number value) {
  return static_cast<double>(value);
}
double metric_value(Seconds duration) {
  return in_seconds(duration.value);
}
double metric_value(Milliseconds duration) {
  return in_seconds(duration.value);
}
double metric_value(Rate rate) {
  return rate.value;
}

class MetricsVisitor {
 public:
  void field(std::string_view /*name*/, const auto& /*value*/) {}
  void field(std::string_view /*name*/, const auto& value, const Metric& description,
             const Labels& labels = {}) {
    metric(description, value, labels);
  }
  template <typename Value>
  void metric(const Metric& description, const std::optional<Value>& value,
              const Labels& labels = {}) {
    if (value) metric(description, *value, labels);
  }
  void metric(const Metric& description, const auto& value, const Labels& labels = {}) {
    ClientMetric metric;
    for (const auto& [name, text] : labels) metric.label.push_back({name, text});
    (description.counter ? metric.counter.value : metric.gauge.value) = metric_value(value);
    family(description).metric.push_back(std::move(metric));
  }
  Families take() { return std::move(families_); }

 private:
  /// The metrics of one family may be visited apart from each other.
  MetricFamily& family(const Metric& description) {
    const auto found = std::ranges::find(families_, description.name, &MetricFamily::name);
    if (found != families_.end()) return *found;
    families_.push_back({.name = description.name,
                         .help = description.help,
                         .type = description.counter ? MetricType::Counter : MetricType::Gauge,
                         .metric = {}});
    return families_.back();
  }

  Families families_;
};

}  // namespace

Families state_metrics(const Status& status) {
  MetricsVisitor visitor;
  visitor.metric(gauge("jobs_bridge_build_info", "1; the version is in the label"), 1,
                 {{"version", status.version}});
  visitor.metric(
      gauge("jobs_bridge_standing_by", "1 while this instance stands by for another one"),
      status.role == "standby");
  describe(status.requests, visitor);
  describe(status.endpoint, visitor);
  describe(status.broker, visitor);
  describe(status.reads, "reads", visitor);
  describe(status.writes, "writes", visitor);
  describe(status.journal, visitor);
  if (status.credentials.used()) describe(status.credentials, status.now, visitor);
  if (status.notifier.enabled) describe(status.notifier, visitor);
  describe(status.process, visitor);
  return visitor.take();
}

}  // namespace jobs_bridge::admin
