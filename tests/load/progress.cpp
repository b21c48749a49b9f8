#include "tests/load/progress.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace jobs_load {
namespace {

double seconds(Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double part_of(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  const auto index = std::min(values.size() - 1,
                              static_cast<std::size_t>(part * static_cast<double>(values.size())));
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(index);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

}  // namespace

Progress::Progress(std::chrono::duration<double> every, std::chrono::duration<double> patience,
                   Print print)
    : every_(every), patience_(patience), print_(std::move(print)) {}

void Progress::asked(Tally::Sequence sequence, const std::string& thing, Operation operation,
                     Time now) {
  ++asked_;
  open_.emplace(sequence, Request{.thing = thing, .operation = operation, .asked = now});
}

void Progress::answered(Tally::Sequence sequence, const std::string& rejection, Time now) {
  const auto found = open_.find(sequence);
  if (found == open_.end()) {
    ++repeated_;
    return;
  }
  ++answered_;
  if (!rejection.empty()) ++rejections_[rejection];
  const auto& request = found->second;
  latencies_.push_back(std::chrono::duration<double, std::milli>(now - request.asked).count());
  if (now - request.asked >= patience_) {
    if (!request.overdue) ++overdue_;
    ++late_;
    say("late", sequence, request, now);
  }
  open_.erase(found);
}

void Progress::tick(Time now, std::size_t connections) {
  connections_ = connections;
  for (auto& [sequence, request] : open_) {
    if (now - request.asked < patience_) break;
    if (request.overdue) continue;
    request.overdue = true;
    ++overdue_;
    say("overdue", sequence, request, now);
  }
  if (now < next_figures_) return;
  next_figures_ = now + std::chrono::duration_cast<Time::duration>(every_);
  print_figures(now);
}

void Progress::finish(Time now) {
  for (const auto& [sequence, request] : open_) say("unanswered", sequence, request, now);
  print_figures(now);
}

void Progress::say(const char* event, Tally::Sequence sequence, const Request& request,
                   Time now) const {
  print_(nlohmann::ordered_json{{"event", event},
                                {"at", seconds(now)},
                                {"asked", seconds(request.asked)},
                                {"request", sequence},
                                {"thing", request.thing},
                                {"operation", to_string(request.operation)}}
             .dump() +
         "\n");
}

void Progress::print_figures(Time now) {
  const nlohmann::ordered_json figures{{"event", "progress"},
                                       {"at", seconds(now)},
                                       {"asked", asked_},
                                       {"answered", answered_},
                                       {"waiting", open_.size()},
                                       {"overdue", overdue_},
                                       {"late", late_},
                                       {"repeated", repeated_},
                                       {"skipped", skipped_},
                                       {"connections", connections_},
                                       {"p50_ms", part_of(latencies_, 0.5)},
                                       {"p99_ms", part_of(latencies_, 0.99)},
                                       {"longest_ms", part_of(latencies_, 1)},
                                       {"rejections", rejections_}};
  latencies_.clear();
  print_(figures.dump() + "\n");
}

}  // namespace jobs_load
