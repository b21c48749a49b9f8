// World: what devices ask and hear.

#include <chrono>

#include "tests/worlds/world.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

const std::string base = "$aws/things/";

std::uint64_t number_after(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + mark.size()));
}

}  // namespace

void World::ask_start_next(const std::string& name) {
  publish({.thing = name, .topic = base + name + "/jobs/start-next"}, "", std::nullopt);
}

void World::ask(const std::string& name) {
  auto& thing = things_[name];
  const auto jobs = base + name + "/jobs/";
  std::optional<Duration> expires_after;
  if (chance_.once_in(30)) expires_after = chance_.time(10s);
  if (plan_.repeats && thing.last && chance_.once_in(5)) {
    const auto& last = asked_[*thing.last];
    if (last.operation != Operation::update) {
      publish({.thing = name, .topic = last.topic, .operation = last.operation}, "", expires_after);
      return;
    }
  }
  switch (chance_.below(6)) {
    case 0:
    case 1:
      return ask_start_next(name);
    case 2:
      return publish({.thing = name, .topic = jobs + "get", .operation = Operation::get_pending},
                     "", expires_after);
    case 3:
      return publish({.thing = name,
                      .topic = jobs + "j" + std::to_string(thing.job) + "/get",
                      .operation = Operation::describe},
                     "", expires_after);
    default:
      break;
  }
  const auto note = asked_.size();
  const auto job = "j" + std::to_string(thing.job);
  const bool ends = chance_.once_in(10);
  std::string members = R"("status":")" + std::string(ends ? "SUCCEEDED" : "IN_PROGRESS") +
                        R"(","statusDetails":{"note":")" + std::to_string(note) + "\"}";
  Asked asked{
      .thing = name, .topic = jobs + job + "/update", .note = note, .operation = Operation::update};
  if (chance_.once_in(3)) {
    members += R"(,"expectedVersion":)" + std::to_string(endpoint_.execution(name, job).version);
    asked.must_succeed = thing.open_updates == 0 && thing.open_start_nexts == 0 && !thing.unsure;
  }
  if (chance_.once_in(5)) members += R"(,"stepTimeoutInMinutes":5)";
  if (ends) ++thing.job;
  updates_[note] = Fate::open;
  // One whose message may expire is for no repeat to rely on.
  const int times = plan_.repeats && !expires_after && chance_.once_in(6) ? 2 : 1;
  for (int i = 0; i < times; ++i) publish(asked, members, expires_after);
}

void World::publish(Asked asked, const std::string& members,
                    std::optional<Duration> expires_after) {
  const auto index = asked_.size();
  asked.received = now_.monotonic;
  asked.life = life_;
  auto& thing = things_[asked.thing];
  thing.last = index;
  if (asked.operation == Operation::update) ++thing.open_updates;
  if (asked.operation == Operation::start_next) ++thing.open_start_nexts;
  Message message{.topic = asked.topic,
                  .payload = R"({"clientToken":"n)" + std::to_string(index) + "\"" +
                             (members.empty() ? "" : "," + members) + "}",
                  .correlation_data = "n" + std::to_string(index),
                  .expires_after = expires_after};
  asked_.push_back(std::move(asked));
  ++tally_.requests;
  engine_->received(now_, std::move(message), effects_);
  for (const auto& entry : std::exchange(effects_.recorded, {})) {
    by_number_[entry.number] = index;
    if (journal_.record(now_.monotonic, entry)) {
      asked_[index].number = entry.number;
    } else {
      engine_->unrecorded(now_, entry.number, "the disk is full", effects_);
    }
  }
  take_effects();
  give_out_calls();
  check_bounds();
}

void World::take_effects() {
  for (const auto number : effects_.settled) journal_.settle(now_.monotonic, number);
  if (chance_.once_in(1000)) journal_.tidy(now_.monotonic);
  std::size_t finished = 0;
  for (const auto& publication : effects_.publications) {
    if (publication.topic.ends_with("/notify") || publication.topic.ends_with("/notify-next")) {
      continue;
    }
    take_reply(publication, effects_.finished.at(finished));
    ++finished;
  }
  if (finished != effects_.finished.size()) broken("a request is finished without a reply");
  effects_.clear();
}

void World::take_reply(const Publication& publication, const Finished& finished) {
  const auto index = number_after(publication.payload, R"("clientToken":"n)");
  auto& asked = asked_.at(index);
  const bool accepted = !finished.rejection.has_value();
  if (publication.topic != asked.topic + (accepted ? "/accepted" : "/rejected")) {
    broken("a reply on another topic");
  }
  if (publication.correlation_data != "n" + std::to_string(index)) {
    broken("a reply with other correlation data");
  }
  if (asked.dead) broken("a reply to a request of before a crash that was not recorded");
  const bool update = asked.operation == Operation::update;
  if (asked.replied) {
    if (!asked.may_be_repeated) broken("two replies to " + asked.topic);
    asked.may_be_repeated = false;
    return;
  }
  const auto took = now_.monotonic - asked.received;
  if (!update && took > plan_.engine.deadline) broken("a reply after the deadline");
  if (update && took > plan_.engine.deadline) ++tally_.held;
  asked.took = took;
  asked.replied = true;
  close_asked(asked);
  if (accepted) {
    ++tally_.accepted;
    accepted_waits.push_back(took);
    if (update && !endpoint_.was_applied(asked.thing, asked.note)) {
      broken("an update was accepted that the endpoint never saw");
    }
    return;
  }
  ++tally_.rejected;
  const auto code = finished.rejection->code;
  if (code == ErrorCode::request_throttled && took == Duration::zero()) ++tally_.refused;
  if (!update) return;
  auto& fate = updates_.at(asked.note);
  if (fate == Fate::open) fate = Fate::rejected;
  const bool conflict = code == ErrorCode::version_mismatch ||
                        code == ErrorCode::invalid_state_transition ||
                        code == ErrorCode::terminal_state_reached;
  if (conflict && asked.must_succeed && life_ == asked.life) {
    broken("an update with the right version was refused: " + finished.rejection->message);
  }
  const bool gives_up = code == ErrorCode::internal_error && asked.life == life_;
  if (gives_up && plan_.engine.holding.durable && !finished.given_up) {
    broken("an update was given up: " + finished.rejection->message);
  }
}

void World::close_asked(Asked& asked) {
  auto& thing = things_[asked.thing];
  if (asked.operation == Operation::update) --thing.open_updates;
  if (asked.operation == Operation::start_next) --thing.open_start_nexts;
}

}  // namespace jobs_bridge::simulation
