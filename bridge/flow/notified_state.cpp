#include "bridge/flow/notified_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace jobs_bridge {
namespace {

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

std::string first_of(const PendingExecutions& pending) {
  return pending.names.empty() ? std::string() : pending.names.front();
}

}  // namespace

bool NotifiedState::observe(const NextExecution& next) {
  if (head_) return false;
  head_ = next.name;
  return true;
}

bool NotifiedState::observe(const PendingExecutions& pending) {
  if (executions_) return false;
  take(pending);
  if (!head_) head_ = listed_first_;
  return true;
}

bool NotifiedState::observe_ended(const std::string& job) {
  if (head_) return false;
  // It was pending and most likely the head; a number that no execution has makes the next
  // comparison differ.
  head_ = job + "#";
  return true;
}

bool NotifiedState::tell(const NextExecution& next) {
  const bool known = head_ == next.name;
  head_ = next.name;
  return !known;
}

bool NotifiedState::has_head(const std::string& job) const {
  return head_ && head_->starts_with(job + "#");
}

bool NotifiedState::has_changed(const PendingExecutions& pending) const {
  if (!executions_) return head_ && *head_ != first_of(pending);
  return *executions_ != sorted(pending.names);
}

bool NotifiedState::must_see_head(const PendingExecutions& pending) const {
  if (!head_) return false;
  if (!executions_) return *head_ != first_of(pending);
  return listed_first_ != first_of(pending) ||
         !std::ranges::includes(sorted(pending.names), *executions_);
}

void NotifiedState::take(const PendingExecutions& pending) {
  executions_ = sorted(pending.names);
  listed_first_ = first_of(pending);
}

NotifiedState::News NotifiedState::update(const PendingExecutions& pending) {
  const News news{.notify = has_changed(pending), .notify_next = false};
  take(pending);
  if (!head_) head_ = listed_first_;
  return news;
}

NotifiedState::News NotifiedState::update(const PendingExecutions& pending,
                                          const NextExecution& next) {
  const News news{.notify = has_changed(pending), .notify_next = head_ && *head_ != next.name};
  take(pending);
  head_ = next.name;
  return news;
}

std::string NotifiedState::to_text() const {
  auto text = nlohmann::json::object();
  if (head_) text["head"] = *head_;
  if (listed_first_) text["listed_first"] = *listed_first_;
  if (executions_) text["executions"] = *executions_;
  return text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

NotifiedState NotifiedState::from_text(std::string_view text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return {};
  const auto text_at = [&](const char* name) -> std::optional<std::string> {
    const auto found = parsed.find(name);
    if (found == parsed.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
  };
  NotifiedState told;
  told.head_ = text_at("head");
  told.listed_first_ = text_at("listed_first");
  if (const auto found = parsed.find("executions"); found != parsed.end() && found->is_array()) {
    std::vector<std::string> names;
    for (const auto& name : *found) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
    told.executions_ = sorted(std::move(names));
  }
  return told;
}

}  // namespace jobs_bridge
