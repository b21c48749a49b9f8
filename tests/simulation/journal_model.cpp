#include "tests/simulation/journal_model.h"

#include <chrono>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Duration written_within = 100ms;

}  // namespace

std::optional<std::string> JournalModel::record(MonotonicTime now, const JournalEntry& entry) {
  catch_up(now);
  promise(entry.number != 0 && !entries_.contains(entry.number), "an entry's number is not in use");
  promise(!entry.message.retained, "no retained message is recorded");
  if (dice_.chance(full_)) return "no space left on device";
  entries_.emplace(entry.number, Kept{.entry = entry, .recorded = now});
  return std::nullopt;
}

void JournalModel::settle(MonotonicTime now, const std::vector<std::uint64_t>& numbers) {
  catch_up(now);
  if (numbers.empty()) return;
  auto forget = now;
  if (dice_.chance(full_)) forget += dice_.between(0ms, longest_forgetting);
  if (!settled_.empty()) forget = std::max(forget, settled_.back().forget);
  for (const auto number : numbers) {
    promise(entries_.contains(number), "what is settled was recorded");
    settled_.push_back({.forget = forget, .number = number});
  }
  catch_up(now);
}

void JournalModel::catch_up(MonotonicTime now) {
  while (!settled_.empty() && settled_.front().forget <= now) {
    const auto found = entries_.find(settled_.front().number);
    promise(found != entries_.end(), "an entry is settled once");
    forgotten_.push_back({.at = settled_.front().forget, .kept = std::move(found->second)});
    entries_.erase(found);
    settled_.pop_front();
  }
  while (!forgotten_.empty() && forgotten_.front().at + written_within < now) {
    forgotten_.pop_front();
  }
}

void JournalModel::kill(MonotonicTime now) {
  catch_up(now);
  for (const auto& settled : settled_) entries_.at(settled.number).brought_back = true;
  settled_.clear();
}

std::vector<JournalModel::Lost> JournalModel::cut_power(MonotonicTime now) {
  kill(now);
  // What reached the disk is what was written until some moment, in order.
  const auto reached = now - dice_.between(0ms, written_within);
  std::vector<Lost> lost;
  std::erase_if(entries_, [&](auto& item) {
    auto& [entry, recorded, brought_back] = item.second;
    if (recorded <= reached) return false;
    lost.push_back({.entry = std::move(entry), .recorded = recorded});
    return true;
  });
  for (auto& [at, kept] : forgotten_) {
    if (at <= reached || kept.recorded > reached) continue;
    kept.brought_back = true;
    entries_.emplace(kept.entry.number, std::move(kept));
  }
  forgotten_.clear();
  return lost;
}

}  // namespace jobs_bridge::simulation
