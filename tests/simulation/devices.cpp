#include "tests/simulation/devices.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

std::string base_of(std::uint32_t thing) {
  return "$aws/things/thing-" + std::to_string(thing) + "/jobs/";
}
std::string path_of(std::uint32_t thing) {
  return "/things/thing-" + std::to_string(thing) + "/jobs";
}

}  // namespace

Asked Devices::ask(Dice& dice, std::uint32_t thing, const EndpointModel& endpoint,
                   const Ledger& ledger) {
  Asked asked;
  asked.thing = thing;
  const auto base = base_of(thing);
  const auto path = path_of(thing);
  const auto share = static_cast<double>(dice.below(1000)) / 1000;
  if (share < shape_.start_next) {
    asked.operation = Operation::start_next;
    asked.topic = base + "start-next";
    asked.wanted = {.method = "PUT", .target = path + "/$next", .body = "{}"};
    if (dice.chance(0.2)) asked.wanted.body = R"({"statusDetails":{"a":"b"}})";
  } else if (share < shape_.start_next + shape_.get) {
    asked.operation = Operation::get_pending;
    asked.topic = base + "get";
    asked.wanted = {.method = "GET", .target = path, .body = {}};
  } else if (share < shape_.start_next + shape_.get + shape_.describe) {
    asked.operation = Operation::describe;
    const bool next = dice.chance(0.5);
    const auto job = "job-" + std::to_string(dice.below(shape_.jobs + 1));
    asked.topic = base + (next ? "$next" : job) + "/get";
    asked.wanted = {.method = "GET",
                    .target = path + (next ? "/%24next" : "/" + job) + "?includeJobDocument=true",
                    .body = {}};
  } else {
    ask_update(dice, asked, endpoint, ledger);
  }
  choose_extras(dice, asked);
  return asked;
}

void Devices::ask_update(Dice& dice, Asked& asked, const EndpointModel& endpoint,
                         const Ledger& ledger) {
  const auto& jobs = endpoint.jobs(asked.thing);
  const auto job = dice.chance(0.02) || jobs.empty() ? 999 : dice.below(jobs.size());
  const auto name = "job-" + std::to_string(job);
  asked.operation = Operation::update;
  asked.topic = base_of(asked.thing) + name + "/update";
  constexpr std::array ends = {"FAILED", "SUCCEEDED", "REJECTED"};
  const std::string status =
      dice.chance(shape_.ends_jobs) ? ends.at(dice.below(ends.size())) : "IN_PROGRESS";
  auto body = R"({"status":")" + status + '"';
  if (dice.chance(0.7)) {
    asked.marked = true;
    body += R"(,"statusDetails":{"mark":")" + std::to_string(next_mark_++) + R"("})";
  }
  if (dice.chance(0.15)) {
    body += R"(,"stepTimeoutInMinutes":)" + std::to_string(dice.between(1, 50));
  }
  if (dice.chance(0.5) && job < jobs.size()) {
    const auto& open = ledger.open(asked.thing);
    const auto before = std::ranges::count_if(open, [&](AskedNumber number) {
      const auto& other = ledger.asked(number);
      return other.operation == Operation::update && other.topic == asked.topic &&
             other.applied == 0;
    });
    auto version = jobs[job].executions.back().version + before;
    if (dice.chance(0.05)) version += dice.chance(0.5) ? 1 : -1;
    asked.expected_version = std::max<std::int64_t>(version, 1);
    body += R"(,"expectedVersion":)" + std::to_string(asked.expected_version);
  }
  asked.wanted = {
      .method = "POST", .target = path_of(asked.thing) + "/" + name, .body = body + "}"};
}

void Devices::choose_extras(Dice& dice, Asked& asked) const {
  asked.invalid = dice.chance(shape_.invalid) && asked.operation != Operation::get_pending;
  if (dice.chance(shape_.expires)) asked.expires_after = dice.between(1s, 10s);
  if (!asked.invalid && dice.chance(shape_.response_topic)) {
    asked.response_topic = base_of(asked.thing) + "my/accepted";
    asked.correlation = "c" + std::to_string(dice.next());
  }
}

Message Devices::message_of(const Asked& asked, AskedNumber number) {
  auto payload = asked.wanted.body.empty() ? std::string("{}") : asked.wanted.body;
  payload.pop_back();
  if (payload.size() > 1) payload += ',';
  payload += R"("clientToken":"r)" + std::to_string(number) + R"("})";
  Message message{.topic = asked.topic, .payload = std::move(payload)};
  message.response_topic = asked.invalid ? "another's/topic" : asked.response_topic;
  message.correlation_data = asked.correlation;
  message.expires_after = asked.expires_after;
  return message;
}

}  // namespace jobs_bridge::simulation
