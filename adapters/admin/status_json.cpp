#include "adapters/admin/status_json.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "adapters/admin/status_fields.h"

namespace jobs_bridge::admin {
namespace {

using nlohmann::ordered_json;

/// Rounded, since further digits are of no use.
double rounded(double value, double digits) {
  return std::round(value * digits) / digits;
}

template <typename... Described>
ordered_json object(const Described&... described);

template <typename Value>
ordered_json to_json(const Value& value) {
  if constexpr (std::is_floating_point_v<Value>) {
    return rounded(value, 1000);
  } else if constexpr (std::is_arithmetic_v<Value> ||
                       std::is_convertible_v<const Value&, std::string_view>) {
    return value;
  } else {
    return object(value);
  }
}
ordered_json to_json(const Seconds& duration) {
  return rounded(in_seconds(duration.value), 1000);
}
ordered_json to_json(const Milliseconds& duration) {
  return rounded(std::chrono::duration<double, std::milli>(duration.value).count(), 1000);
}
ordered_json to_json(const Rate& rate) {
  return rounded(rate.value, 100);
}
template <typename Value>
ordered_json to_json(const std::optional<Value>& value) {
  return value ? to_json(*value) : ordered_json(nullptr);
}
template <typename Value>
ordered_json to_json(const std::vector<Value>& values) {
  auto all = ordered_json::array();
  for (const auto& value : values) all.push_back(to_json(value));
  return all;
}

class JsonVisitor {
 public:
  void field(std::string_view name, const auto& value) {
    object_[std::string(name)] = to_json(value);
  }
  void field(std::string_view name, const auto& value, const Metric& /*metric*/,
             const Labels& /*labels*/ = {}) {
    field(name, value);
  }
  void metric(const Metric& /*metric*/, const auto& /*value*/, const Labels& /*labels*/ = {}) {}
  ordered_json take() { return std::move(object_); }

 private:
  ordered_json object_ = ordered_json::object();
};

/// Of something that `describe` describes, and what else that takes.
template <typename... Described>
ordered_json object(const Described&... described) {
  JsonVisitor visitor;
  describe(described..., visitor);
  return visitor.take();
}

void describe(const Reason& reason, auto& visit) {
  visit.field("code", reason.code);
  visit.field("message", reason.message);
  visit.field("cure", reason.hint);
  if (!reason.kind.empty()) visit.field("kind", reason.kind);
}

void describe(const Verdict& verdict, auto& visit) {
  visit.field("ready", verdict.ready());
  visit.field("reasons", verdict.reasons);
  visit.field("warnings", verdict.warnings);
}

std::string text_of(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string status_json(const Status& status, const Verdict& verdict) {
  JsonVisitor visit;
  visit.field("version", status.version);
  visit.field("now", status.now);
  visit.field("started", status.started);
  visit.field("uptime_seconds", Seconds{status.uptime});
  describe(verdict, visit);
  visit.field("role", status.role.empty() ? std::nullopt : std::optional(status.role));
  visit.field("broker", status.broker);
  visit.field("endpoint", status.endpoint);
  auto json = visit.take();
  json["quota"] = {{"reads", object(status.reads, "reads")},
                   {"writes", object(status.writes, "writes")}};
  json["requests"] = object(status.requests);
  json["history"] = object(status.history);
  json["journal"] = object(status.journal);
  json["credentials"] = object(status.credentials, status.now);
  json["notifier"] = object(status.notifier);
  json["busiest"] = to_json(status.busiest);
  json["failing"] = to_json(status.failing);
  json["errors"] = to_json(status.errors);
  json["process"] = object(status.process);
  return text_of(json);
}

std::string readiness_json(const Verdict& verdict) {
  return text_of(object(verdict));
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
