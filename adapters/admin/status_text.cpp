#include "adapters/admin/status_text.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>

#include "bridge/text/utf8.h"

namespace jobs_bridge::admin {
namespace {

using nlohmann::json;

constexpr std::size_t errors_shown = 5;

std::string number(double value) {
  std::array<char, 32> text{};
  const bool whole = value == std::floor(value);
  std::snprintf(text.data(), text.size(), whole || value >= 100 ? "%.0f" : "%.1f", value);
  return text.data();
}

std::string of(const json& value) {
  return value.is_number() ? number(value.get<double>()) : "-";
}

std::string span(const json& value) {
  if (!value.is_number()) return "-";
  const auto seconds = value.get<std::int64_t>();
  const auto two = [](std::int64_t first, const char* unit, std::int64_t second,
                      const char* smaller) {
    return std::to_string(first) + " " + unit + " " + std::to_string(second) + " " + smaller;
  };
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return two(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86400) return two(seconds / 3600, "h", seconds % 3600 / 60, "min");
  return two(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string milliseconds(const json& value) {
  return value.is_number() ? number(value.get<double>()) + " ms" : "-";
}

std::string size(const json& value) {
  constexpr double kibibyte = 1024;
  const auto bytes = value.get<double>();
  if (bytes < kibibyte * kibibyte) return number(std::ceil(bytes / kibibyte)) + " KiB";
  return number(std::ceil(bytes / kibibyte / kibibyte * 10) / 10) + " MiB";
}

/// Of requests or answers; there may have been none in the last minute.
std::string response_time(const json& latency) {
  if (!latency.at("p50_ms").is_number()) return "none in the last minute";
  return milliseconds(latency.at("p50_ms")) + " (p99 " + milliseconds(latency.at("p99_ms")) + ")";
}

/// Text from devices and endpoints must not move the terminal's cursor, nor fill the screen.
std::string plain(std::string_view text) {
  constexpr std::size_t limit = 500;  // bytes
  const auto shown = without_controls(shortened(text, limit));
  return text.size() > limit ? shown + "..." : shown;
}

std::string text_of(const json& object, const char* name) {
  return plain(object.value(name, std::string()));
}

void add(std::string& out, std::string_view name, const std::string& text) {
  constexpr std::size_t width = 13;
  out += name;
  out.append(name.size() < width ? width - name.size() : 1, ' ');
  out += text + "\n";
}

/// Appended to the text of a fault; an older bridge does not send it.
std::string kind_of(const json& broker) {
  const auto kind = text_of(broker, "fault_kind");
  return kind.empty() ? kind : " [" + kind + "]";
}

std::string broker(const json& broker) {
  auto text = text_of(broker, "url");
  if (const auto count = broker.value("urls", json::array()).size(); count > 1) {
    text += " (of " + std::to_string(count) + ")";
  }
  text += ": ";
  if (!broker.at("connected").get<bool>()) {
    return text + "no connection for " + span(broker.at("since_seconds")) + ": " +
           text_of(broker, "fault") + kind_of(broker);
  }
  if (!broker.at("subscribed").get<bool>()) return text + "connected, not subscribed";
  if (!broker.at("canary").get<bool>()) return text + "connected";
  if (!broker.at("flowing").get<bool>())
    return text + "connected, but no canary message comes back";
  return text + "messages flow, " + milliseconds(broker.at("round_trip_ms")) + " round trip";
}

std::string topics(const json& broker) {
  if (!broker.at("connected").get<bool>()) return "not known while there is no connection";
  const auto said = [&](const char* member, const char* good, const char* bad,
                        const char* undecided) {
    const auto verdict = text_of(broker.at(member), "verdict");
    if (verdict == "good") return std::string(good);
    if (verdict == "bad") return std::string(bad);
    return std::string(verdict == "unseen" ? undecided : "not tested yet");
  };
  const auto in = said("jobs_requests", "requests come in", "requests do NOT come in",
                       "cannot tell whether requests come in");
  const auto out = said("jobs_replies", "replies go out", "replies do NOT go out",
                        "cannot tell whether replies go out");
  auto text = in == out ? in : in + "; " + out;
  const auto& refused = broker.value("last_refused_reply", json());
  if (refused.is_object()) {
    text += "; the last refused reply was " + span(refused.at("ago_seconds")) + " ago";
  }
  return text;
}

std::string endpoint(const json& endpoint) {
  auto text = text_of(endpoint, "url") + ": ";
  if (!endpoint.at("reachable").get<bool>()) {
    return text + "down for " + span(endpoint.at("down_for_seconds")) + ": " +
           text_of(endpoint, "cause");
  }
  if (const auto denied = endpoint.value("denied", json::array()); !denied.empty()) {
    text += "DENIES ACCESS to ";
    for (std::size_t index = 0; index < denied.size(); ++index) {
      text += (index == 0 ? "" : ", ") + text_of(denied[index], "operation");
    }
    text += "; ";
  }
  if (!endpoint.value("called", true)) return text + "not called yet";
  if (!endpoint.value("answered", true))
    text += "no call has succeeded yet; response times: ";
  else
    text += "answers: ";
  return text + response_time(endpoint.at("latency")) + "; " + of(endpoint.at("calls_in_flight")) +
         " of " + of(endpoint.at("connections")) + " calls in flight";
}

std::string quota(const json& quota) {
  const auto configured = quota.at("configured_per_second").get<double>();
  auto text = of(quota.at("used_per_second"));
  text += configured > 0 ? " of " + number(configured) + "/s" : "/s, no limit";
  if (const auto& paused = quota.at("paused_for_seconds"); !paused.is_null()) {
    text += ", paused for up to " + span(paused) + " at the endpoint's request";
  } else if (quota.at("slowed").get<bool>()) {
    text += ", throttled to " + of(quota.at("allowed_per_second"));
  }
  return text;
}

/// Requests that were answered, but whose answer the broker took in no form.
std::string without_reply(const json& broker) {
  const auto count = broker.value("replies_unanswered", 0.0);
  return count > 0 ? ", " + number(count) + " of them without a reply, which the broker refused"
                   : std::string();
}

std::string requests(const json& requests, const json& broker) {
  return of(requests.at("per_second")) + "/s; replies: " + response_time(requests.at("latency")) +
         "; " + of(requests.at("waiting")) + " of " + of(requests.at("queue")) + " waiting, " +
         of(requests.at("held")) + " held; " + of(requests.at("accepted")) + " accepted and " +
         of(requests.at("rejected")) + " rejected since the start" + without_reply(broker);
}

std::string journal(const json& journal) {
  if (!journal.at("enabled").get<bool>()) return "off: updates are held in memory only";
  auto text = of(journal.at("entries")) +
              (journal.at("entries") == 1 ? " update, " : " updates, ") +
              size(journal.at("bytes")) + " of " + size(journal.at("max_bytes"));
  if (journal.at("failing").get<bool>()) text += "; it " + text_of(journal, "cause");
  return text;
}

std::string credentials(const json& credentials) {
  const auto source = text_of(credentials, "source");
  if (source == "none") return "not used";
  if (!credentials.at("valid").get<bool>()) return source + ": no valid credentials";
  const auto& left = credentials.at("seconds_left");
  return source + ": valid, " + (left.is_null() ? "without expiry" : "for " + span(left));
}

void add_reasons(std::string& out, const json& reasons, const char* kind) {
  for (const auto& reason : reasons) {
    out += std::string(kind) + text_of(reason, "message") + "\n  " + text_of(reason, "cure") + "\n";
  }
}

std::string local_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  std::array<char, 32> text{};
  localtime_r(&time, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return text.data();
}

void add_errors(std::string& out, const json& errors) {
  if (errors.empty()) return;
  out += "\nlast errors:\n";
  for (std::size_t index = 0; index < errors.size() && index < errors_shown; ++index) {
    const auto& error = errors[index];
    out += local_time(error.at("last").get<std::int64_t>()) + "  " + text_of(error, "code");
    if (error.at("count") > 1) out += " x " + of(error.at("count"));
    if (const auto thing = text_of(error, "thing"); !thing.empty()) out += " " + thing;
    if (error.value("several_things", false)) out += " and others";
    if (const auto operation = text_of(error, "operation"); !operation.empty()) {
      out += " " + operation;
    }
    out += ": " + text_of(error, "message") + "\n";
    if (const auto cause = text_of(error, "cause"); !cause.empty()) out += "  " + cause + "\n";
  }
}

StatusText in_words(const json& status) {
  StatusText result;
  auto& out = result.text;
  result.ready = status.at("ready").get<bool>();
  out = "jobs-bridge " + text_of(status, "version") + ", up for " +
        span(status.at("uptime_seconds")) + ": " + (result.ready ? "ready" : "NOT READY") + "\n";
  if (const auto& reasons = status.at("reasons"); !reasons.empty()) {
    result.reason = text_of(reasons[0], "message");
    result.hint = text_of(reasons[0], "cure");
  }
  add_reasons(out, status.at("reasons"), "");
  add_reasons(out, status.at("warnings"), "warning: ");
  out += "\n";
  if (const auto role = status.value("role", json()); role.is_string()) {
    add(out, "role", plain(role.get<std::string>()));
  }
  add(out, "broker", broker(status.at("broker")));
  if (text_of(status.at("broker").at("jobs_requests"), "verdict") != "off") {
    add(out, "topics", topics(status.at("broker")));
  }
  add(out, "endpoint", endpoint(status.at("endpoint")));
  add(out, "requests", requests(status.at("requests"), status.at("broker")));
  add(out, "reads", quota(status.at("quota").at("reads")));
  add(out, "writes", quota(status.at("quota").at("writes")));
  add(out, "journal", journal(status.at("journal")));
  add(out, "credentials", credentials(status.at("credentials")));
  add_errors(out, status.at("errors"));
  return result;
}

}  // namespace

Result<StatusText, std::string> status_text(const std::string& text) {
  try {
    return in_words(json::parse(text));
  } catch (const json::exception& error) {
    return Failure{std::string("the answer is not the status of a jobs-bridge: ") + error.what()};
  }
}

}  // namespace jobs_bridge::admin
