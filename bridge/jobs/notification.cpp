#include "bridge/jobs/notification.h"

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

/// A job id of AWS has at most 64 characters, and a thing seldom has more than some jobs at a time.
/// An endpoint may say more, of which no more is kept, for each thing, than tells it from another.
constexpr std::size_t max_name = 128;
constexpr std::size_t max_names = 256;

std::string in_short(std::string name) {
  if (name.size() <= max_name) return name;
  return name.substr(0, max_name / 2) + "~" + std::to_string(std::hash<std::string>()(name));
}

void shorten(std::vector<std::string>& names) {
  if (names.size() <= max_names) return;
  std::size_t rest = 0;
  for (auto at = max_names; at < names.size(); ++at) {
    rest = rest * 31 + std::hash<std::string>()(names[at]);
  }
  const auto more = names.size() - max_names;
  names.resize(max_names);
  names.push_back("+" + std::to_string(more) + "~" + std::to_string(rest));
}

/// Empty if the object has no job id. An endpoint that does not number executions has one for each
/// job.
std::string name_of(const std::vector<json_text::Member>& execution) {
  const auto* job = json_text::find(execution, "jobId");
  if (job == nullptr || !json_text::is_string(job->value)) return {};
  auto name = json_text::decode_string(job->value).value_or("");
  if (name.empty()) return {};
  const auto* number = json_text::find(execution, "executionNumber");
  return in_short(name + "#" + (number == nullptr ? "1" : std::string(number->value)));
}

/// Adds a list's executions; false if one has no name.
bool take(std::string_view list, std::vector<std::string>& names, std::string& summaries) {
  const auto elements = json_text::elements_of(list);
  if (!elements) return false;
  for (const auto element : *elements) {
    const auto members = json_text::members_of(element);
    if (!members) return false;
    auto name = name_of(*members);
    if (name.empty()) return false;
    names.push_back(std::move(name));
    if (names.size() > max_in_notification) continue;
    if (!summaries.empty()) summaries += ',';
    summaries += element;
  }
  return true;
}

}  // namespace

std::optional<PendingExecutions> read_pending(const Accepted& answer) {
  const auto text = "{" + answer.members + "}";
  const auto members = json_text::members_of(text);
  if (!members) return std::nullopt;
  PendingExecutions pending;
  if (const auto* list = json_text::find(*members, "inProgressJobs")) {
    if (!take(list->value, pending.names, pending.in_progress)) return std::nullopt;
  }
  if (const auto* list = json_text::find(*members, "queuedJobs")) {
    if (!take(list->value, pending.names, pending.queued)) return std::nullopt;
  }
  shorten(pending.names);
  return pending;
}

std::optional<NextExecution> read_next(const Accepted& answer) {
  const auto text = "{" + answer.members + "}";
  const auto members = json_text::members_of(text);
  if (!members) return std::nullopt;
  const auto* execution = json_text::find(*members, "execution");
  if (execution == nullptr) return NextExecution{};
  const auto parts = json_text::members_of(execution->value);
  if (!parts) return std::nullopt;
  NextExecution next;
  next.name = name_of(*parts);
  if (next.name.empty()) return std::nullopt;
  next.execution = execution->value;
  next.has_document = json_text::find(*parts, "jobDocument") != nullptr;
  return next;
}

std::string notify_payload(const PendingExecutions& pending, std::int64_t unix_seconds) {
  json_text::ObjectWriter jobs;
  if (!pending.in_progress.empty()) jobs.member("IN_PROGRESS", "[" + pending.in_progress + "]");
  if (!pending.queued.empty()) jobs.member("QUEUED", "[" + pending.queued + "]");
  json_text::ObjectWriter notice;
  notice.member("timestamp", std::to_string(unix_seconds));
  notice.member("jobs", std::move(jobs).object());
  return std::move(notice).object();
}

std::string notify_next_payload(const NextExecution& next, std::int64_t unix_seconds) {
  json_text::ObjectWriter notice;
  notice.member("timestamp", std::to_string(unix_seconds));
  if (!next.name.empty()) notice.member("execution", next.execution);
  return std::move(notice).object();
}

}  // namespace jobs_bridge
