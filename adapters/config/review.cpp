#include "adapters/config/review.h"

#include <algorithm>
#include <utility>

namespace jobs_bridge::config {

const std::string& Review::text(std::string_view key) const {
  return settings_.find(key)->second.value;
}

bool Review::is_given(std::string_view key) const {
  return settings_.find(key)->second.origin.layer != Layer::standard;
}

bool Review::have_no_fault(std::initializer_list<std::string_view> keys) const {
  return std::none_of(keys.begin(), keys.end(),
                      [this](std::string_view key) { return faulty_.contains(key); });
}

Review::Finding Review::finding(std::string_view key, std::string message, std::string hint) const {
  const Origin& origin = settings_.find(key)->second.origin;
  return {.layer = origin.layer,
          .fault = {.source = origin.source,
                    .line = origin.line,
                    .key = std::string(key),
                    .message = std::move(message),
                    .hint = std::move(hint)}};
}

void Review::change(std::string_view key,
                    const std::function<std::optional<Problem>(std::string& value)>& alter) {
  auto& setting = settings_.find(key)->second;
  auto problem = alter(setting.value);
  for (auto& element : setting.elements) {
    if (!problem) problem = alter(element.value);
  }
  if (problem) fault(key, std::move(problem->message), std::move(problem->hint));
}

void Review::keep_element(std::string_view key, std::size_t index) {
  auto& elements = settings_.find(key)->second.elements;
  elements = {elements[index]};
}

void Review::fault(std::string_view key, std::string message, std::string hint) {
  faults_.push_back(finding(key, std::move(message), std::move(hint)));
  faulty_.emplace(key);
}

void Review::warn(std::string_view key, std::string message, std::string hint) {
  warnings_.push_back(finding(key, std::move(message), std::move(hint)));
}

Review::Finding Review::finding_of_element(std::string_view key, std::size_t index,
                                           const std::string& message, std::string hint) const {
  const auto& setting = settings_.find(key)->second;
  const bool alone =
      setting.key->type.kind == ValueKind::text_or_list && setting.elements.size() == 1;
  Finding found = finding(
      key, (alone ? "" : "element " + std::to_string(index + 1) + ": ") + message, std::move(hint));
  found.fault.line = setting.elements[index].line;
  return found;
}

void Review::fault_of_element(std::string_view key, std::size_t index, const std::string& message,
                              std::string hint) {
  faults_.push_back(finding_of_element(key, index, message, std::move(hint)));
  faulty_.emplace(key);
}

void Review::warn_of_element(std::string_view key, std::size_t index, const std::string& message,
                             std::string hint) {
  warnings_.push_back(finding_of_element(key, index, message, std::move(hint)));
}

}  // namespace jobs_bridge::config
