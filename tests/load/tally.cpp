#include "tests/load/tally.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace jobs_load {
namespace {

std::uint32_t in_microseconds(std::chrono::duration<double> time) {
  constexpr auto most = static_cast<double>(std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(std::clamp(time.count() * 1e6, 0.0, most));
}

}  // namespace

Tally::Sequence Tally::asked(std::size_t thing, Time due, bool counts) {
  const Sequence sequence = fates_.size();
  fates_.push_back(Fate::open);
  outstanding_.emplace(sequence, Request{.thing = thing, .due = due, .counts = counts});
  if (counts) {
    ++summary_.requests;
    if (!first_due_) first_due_ = due;
  }
  return sequence;
}

std::optional<std::size_t> Tally::answered(Sequence sequence, Time now) {
  if (sequence >= fates_.size()) return std::nullopt;
  if (fates_[sequence] == Fate::lost) {
    ++summary_.late;
    return std::nullopt;
  }
  const auto found = outstanding_.find(sequence);
  if (found == outstanding_.end()) {
    ++summary_.duplicates;
    return std::nullopt;
  }
  const Request request = found->second;
  outstanding_.erase(found);
  fates_[sequence] = Fate::answered;
  last_counts_ = request.counts;
  if (request.counts) {
    latencies_.push_back(in_microseconds(now - request.due));
    ++summary_.replies;
    last_reply_ = now;
  }
  return request.thing;
}

void Tally::rejected(const std::string& code) {
  if (last_counts_) ++summary_.rejections[code];
}

std::vector<std::size_t> Tally::expire(Time now) {
  std::vector<std::size_t> things;
  for (; oldest_ < fates_.size(); ++oldest_) {
    const auto found = outstanding_.find(oldest_);
    if (found == outstanding_.end()) continue;
    if (now - found->second.due < patience_) break;
    if (found->second.counts) ++summary_.lost;
    things.push_back(found->second.thing);
    fates_[oldest_] = Fate::lost;
    outstanding_.erase(found);
  }
  return things;
}

Tally::Summary Tally::summary() const {
  Summary summary = summary_;
  for (const auto& [sequence, request] : outstanding_) {
    if (request.counts) ++summary.lost;
  }
  if (!latencies_.empty()) {
    summary.seconds = std::chrono::duration<double>(last_reply_ - *first_due_).count();
  }
  auto sorted = latencies_;
  sorted.insert(sorted.end(), summary.lost, in_microseconds(patience_));
  if (sorted.empty()) return summary;
  std::sort(sorted.begin(), sorted.end());
  const auto milliseconds = [](double microseconds) { return microseconds / 1000; };
  const auto at = [&](double part) {
    const auto index = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
    return milliseconds(sorted[std::min(index, sorted.size() - 1)]);
  };
  summary.mean = milliseconds(std::accumulate(sorted.begin(), sorted.end(), 0.0) /
                              static_cast<double>(sorted.size()));
  summary.p50 = at(0.5);
  summary.p90 = at(0.9);
  summary.p99 = at(0.99);
  summary.p999 = at(0.999);
  summary.longest = milliseconds(sorted.back());
  return summary;
}

}  // namespace jobs_load
