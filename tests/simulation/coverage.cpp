#include "tests/simulation/coverage.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

constexpr std::array<std::string_view, stage_count> stages = {
    "waiting",       "calling",          "describing",          "between calls", "held, waiting",
    "held, calling", "held, describing", "held, between calls", "restored",      "late"};
constexpr std::array<std::string_view, event_count> events = {"a call begins",
                                                              "a describe begins",
                                                              "success",
                                                              "refusal",
                                                              "forbidden",
                                                              "refused credentials",
                                                              "throttling",
                                                              "server error",
                                                              "nonsense",
                                                              "broken connection",
                                                              "no answer",
                                                              "no connection",
                                                              "no credentials",
                                                              "the deadline",
                                                              "the expiry",
                                                              "too old",
                                                              "a repeat",
                                                              "the circuit opens",
                                                              "the circuit closes",
                                                              "the broker is lost",
                                                              "a standstill",
                                                              "a shutdown begins",
                                                              "the end in order",
                                                              "a kill",
                                                              "a power cut"};

std::string_view name_of(Stage stage) {
  return stages.at(static_cast<std::size_t>(stage));
}
std::string_view name_of(Event event) {
  return events.at(static_cast<std::size_t>(event));
}

bool is_one_of(Stage stage, std::initializer_list<Stage> those) {
  return std::ranges::find(those, stage) != those.end();
}

}  // namespace

bool Coverage::possible(Stage stage, Event event) {
  using enum Stage;
  switch (event) {
    case Event::call_begins:
      // What is restored may have been sent before: its fate is asked for first.
      return is_one_of(stage, {waiting, between_calls, held_waiting, held_between_calls});
    case Event::describe_begins:
      return is_one_of(stage, {between_calls, held_between_calls, restored});
    case Event::success:
    case Event::refusal:
    case Event::forbidden:
    case Event::refused_credentials:
    case Event::throttling:
    case Event::server_error:
    case Event::nonsense:
    case Event::broken_connection:
    case Event::no_answer:
    case Event::no_connection:
    case Event::no_credentials:
      return is_one_of(stage, {calling, describing, held_calling, held_describing, late});
    case Event::deadline:
      // An update is held instead, but for one that the endpoint has refused.
      return is_one_of(stage,
                       {waiting, calling, between_calls, held_describing, held_between_calls});
    case Event::expiry:
      // It counts until the first call. It is before the deadline, but a standstill may outlast
      // both.
      return is_one_of(stage, {waiting, held_waiting});
    case Event::too_old:
      return is_one_of(stage,
                       {held_waiting, held_calling, held_describing, held_between_calls, restored});
    case Event::repeat:
      return stage != late;
    case Event::circuit_opens:
    case Event::circuit_closes:
    case Event::broker_lost:
    case Event::standstill:
    case Event::shutdown_begins:
    case Event::drained:
    case Event::killed:
    case Event::power_cut:
      return true;
  }
  return true;
}

void Coverage::count(Stage stage, Event event) {
  promise(possible(stage, event), "nothing happens to a request that cannot", [&] {
    return std::string(name_of(event)) + " while it is " + std::string(name_of(stage));
  });
  ++counts_.at(static_cast<std::size_t>(stage)).at(static_cast<std::size_t>(event));
}

void Coverage::add(const Coverage& other) {
  for (std::size_t stage = 0; stage < stage_count; ++stage) {
    for (std::size_t event = 0; event < event_count; ++event) {
      counts_[stage][event] += other.counts_[stage][event];
    }
  }
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> missing;
  for (std::size_t stage = 0; stage < stage_count; ++stage) {
    for (std::size_t event = 0; event < event_count; ++event) {
      if (counts_[stage][event] > 0 ||
          !possible(static_cast<Stage>(stage), static_cast<Event>(event))) {
        continue;
      }
      missing.push_back(std::string(events[event]) + " while " + std::string(stages[stage]));
    }
  }
  return missing;
}

std::size_t Coverage::reached() const {
  std::size_t reached = 0;
  for (const auto& of : counts_) {
    reached += static_cast<std::size_t>(std::ranges::count_if(of, [](auto n) { return n > 0; }));
  }
  return reached;
}

std::string Coverage::table() const {
  std::string table;
  for (std::size_t event = 0; event < event_count; ++event) {
    table += std::string(events[event]) + ":";
    for (std::size_t stage = 0; stage < stage_count; ++stage) {
      if (!possible(static_cast<Stage>(stage), static_cast<Event>(event))) continue;
      table += " " + std::string(stages[stage]) + " " + std::to_string(counts_[stage][event]) + ";";
    }
    table.back() = '\n';
  }
  return table;
}

}  // namespace jobs_bridge::simulation
