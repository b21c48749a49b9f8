#include "bridge/flow/request_table.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/unit/flow/engine_driver.h"

namespace jobs_bridge {

/// Causes illegal transitions in an engine.
class EngineTransitions {
 public:
  static void apply(Engine& engine, RequestId id, RequestEvent event) {
    engine.requests_.apply(engine.requests_.find(id), event);
  }
};

namespace testing_support {
namespace {

using namespace std::chrono_literals;
using State = RequestState;
using Event = RequestEvent;

PendingRequest pending(const std::string& thing) {
  PendingRequest pending(Delivery(Request{.operation = Operation::update,
                                          .thing = *ThingName::parse(thing),
                                          .job = JobName::parse("j"),
                                          .status = "SUCCEEDED"}),
                         Asker{.address = {}, .deadline = MonotonicTime(8s)});
  pending.give_up = MonotonicTime(24h);
  return pending;
}

/// Leads to each state.
const std::map<State, std::vector<Event>> ways = {
    {State::waiting, {Event::entered}},
    {State::waiting_held, {Event::restored}},
    {State::calling, {Event::entered, Event::begun}},
    {State::calling_held, {Event::restored, Event::begun}},
    {State::pausing, {Event::entered, Event::begun, Event::paused}},
    {State::pausing_held, {Event::restored, Event::begun, Event::paused}},
    {State::reconciling, {Event::entered, Event::begun, Event::reconcile}},
    {State::calling_answered, {Event::entered, Event::begun, Event::withdrawn}},
};

bool apply(RequestTable& table, RequestId id, Event event) {
  if (event == Event::begun && is_queued(table.find(id)->second.state)) table.take_turn({});
  return table.apply(table.find(id), event, MonotonicTime(1s));
}

/// A table whose request 1 is in that state.
void lead(RequestTable& table, State state) {
  const auto& way = ways.at(state);
  table.add(1, pending("T"), way.front());
  for (std::size_t step = 1; step < way.size(); ++step) ASSERT_TRUE(apply(table, 1, way[step]));
  ASSERT_EQ(table.find(1)->second.state, state);
}

void expect_consistent(const RequestTable& table, State state) {
  const bool there = state != State::absent;
  EXPECT_EQ(table.find(1) != table.end(), there);
  EXPECT_EQ(table.in_flight(), is_calling(state) ? 1U : 0U);
  EXPECT_EQ(table.held().size(), is_held(state) ? 1U : 0U);
  EXPECT_EQ(table.pauses().size(), is_pausing(state) ? 1U : 0U);
  EXPECT_EQ(table.due().size(), there && state != State::calling_answered ? 1U : 0U);
  EXPECT_EQ(table.next_reconciling().has_value(), state == State::reconciling);
  EXPECT_EQ(table.lanes().has_ready({}), is_queued(state));
  EXPECT_EQ(table.lanes().last("T").has_value(), there);
  const bool waits =
      state == State::waiting || state == State::pausing || state == State::reconciling;
  EXPECT_EQ(table.waiting(), waits ? 1U : 0U);
}

/// All pairs of a state and an event, but for those that begin a request's life.
class EveryTransitionTest : public testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {
 protected:
  const State state_ = static_cast<State>(std::get<0>(GetParam()));
  const Event event_ = static_cast<Event>(std::get<1>(GetParam()));
};

TEST_P(EveryTransitionTest, KeepsAllThatFollowsFromTheStateInStepOrIsRefusedAndChangesNothing) {
  RequestTable table;
  lead(table, state_);
  const auto expected = next_state(state_, event_);
  EXPECT_EQ(apply(table, 1, event_), expected.has_value());
  expect_consistent(table, expected.value_or(state_));
  const auto faults = table.take_illegal_transitions();
  ASSERT_EQ(faults.size(), expected ? 0U : 1U);
  if (expected) return;
  EXPECT_EQ(faults[0].request, 1U);
  EXPECT_EQ(faults[0].state, state_);
  EXPECT_EQ(faults[0].event, event_);
}

TEST_P(EveryTransitionTest, IsCounted) {
  RequestTable table;
  lead(table, state_);
  const auto count = [&] {
    return table.transitions()[static_cast<std::size_t>(state_)][static_cast<std::size_t>(event_)];
  };
  const auto before = count();
  const bool done = apply(table, 1, event_);
  EXPECT_EQ(count() - before, done ? 1U : 0U);
}

TEST_P(EveryTransitionTest, WhatIsDiscardedStandsInNobodysWay) {
  RequestTable table;
  lead(table, state_);
  table.add(2, pending("T"), Event::entered);
  table.add(3, pending("U"), Event::entered);
  table.remove_askers(table.find(1)->second);
  table.discard(table.find(1));
  if (is_calling(state_)) {
    EXPECT_EQ(table.find(1)->second.state, State::calling_answered) << "its call still comes first";
    EXPECT_EQ(table.take_turn({}), 3U);
    EXPECT_EQ(table.take_turn({}), std::nullopt);
    EXPECT_TRUE(table.apply(table.find(1), Event::concluded));
    EXPECT_EQ(table.take_turn({}), 2U);
  } else {
    std::set<RequestId> turns;
    while (const auto id = table.take_turn({})) turns.insert(*id);
    EXPECT_EQ(turns, (std::set<RequestId>{2, 3}));
  }
  EXPECT_TRUE(table.find(1) == table.end());
  EXPECT_TRUE(table.held().empty());
  EXPECT_TRUE(table.pauses().empty());
  EXPECT_FALSE(table.next_reconciling());
  EXPECT_EQ(table.due().size(), 2U);
  EXPECT_EQ(table.updates(), 2U);
  EXPECT_EQ(table.in_flight(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, EveryTransitionTest,
                         testing::Combine(testing::Range(std::size_t{1}, request_state_count),
                                          testing::Range(std::size_t{0}, request_event_count)));

/// An engine to one of whose requests an illegal transition happens.
class IllegalTransitionTest : public testing::Test {
 protected:
  /// The next event reports it.
  void break_request(RequestId id, Event event) {
    driver_.illegal_transitions_expected = true;
    EngineTransitions::apply(driver_.engine, id, event);
    driver_.send("other", "get");
    ASSERT_EQ(driver_.effects.illegal_transitions.size(), 1U);
    EXPECT_EQ(driver_.effects.illegal_transitions[0].request, id);
  }
  void expect_rejection(std::string_view topic) {
    const auto reply = driver_.take_one();
    EXPECT_EQ(reply.topic, topic);
    EXPECT_NE(reply.payload.find("InternalError"), std::string::npos);
    EXPECT_NE(reply.payload.find("because of an internal fault"), std::string::npos);
  }
  void expect_that_all_goes_on() {
    driver_.send("T", "get");
    driver_.send("other", "j/get");
    for (int replies = 0; replies < 3; ++replies) driver_.answer(driver_.wait_for_call().id);
    EXPECT_EQ(driver_.take_publications().size(), 3U);
    EXPECT_EQ(driver_.effects.illegal_transitions.size(), 1U);
    EXPECT_TRUE(driver_.engine.is_idle());
  }

  EngineDriver driver_{EngineSettings{.holding = {.durable = true}}};
};

TEST_F(IllegalTransitionTest, ARequestThatWaitsIsRejectedAndTheOthersGoOn) {
  driver_.send("T", "start-next");
  break_request(1, Event::resumed);
  expect_rejection("$aws/things/T/jobs/start-next/rejected");
  expect_that_all_goes_on();
}

TEST_F(IllegalTransitionTest,
       ARequestWhoseCallIsUnderWayIsRejectedAndItsThingsNextComesAfterTheCall) {
  driver_.send("T", "start-next");
  const auto call = driver_.next_call().value();
  break_request(call.id, Event::begun);
  expect_rejection("$aws/things/T/jobs/start-next/rejected");
  driver_.send("T", "j/get");
  EXPECT_EQ(driver_.next_call().value().request.target, "/things/other/jobs") << "not T's";
  driver_.answer(call.id);
  EXPECT_TRUE(driver_.take_publications().empty());
  EXPECT_EQ(driver_.next_call().value().request.target.substr(0, 10), "/things/T/");
}

TEST_F(IllegalTransitionTest, AnUpdateIsSettledAndReportedAsGivenUp) {
  driver_.send_update("T", "t");
  break_request(1, Event::concluded);
  ASSERT_EQ(driver_.effects.finished.size(), 1U);
  EXPECT_TRUE(driver_.effects.finished[0].given_up);
  EXPECT_EQ(driver_.effects.settled, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(driver_.engine.counts().updates, 0U);
  expect_rejection("$aws/things/T/jobs/j/update/rejected");
  expect_that_all_goes_on();
}

}  // namespace
}  // namespace testing_support
}  // namespace jobs_bridge
