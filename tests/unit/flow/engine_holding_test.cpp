#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/flow/engine_driver.h"

/// Updates that cannot be delivered while their devices wait.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

constexpr auto not_found = R"({"__type":"ResourceNotFoundException","message":"no such job"})";

EngineSettings durable() {
  return {.holding = {.durable = true}};
}

TEST(EngineHoldingTest, AnUpdateIsAnsweredWhenItsOutcomeIsKnownHoweverLate) {
  EngineDriver driver;
  driver.send_update("T", "t");
  driver.answer(driver.next_call().value().id, unreachable);
  driver.advance(24h);
  driver.tick();
  EXPECT_TRUE(driver.effects.publications.empty());
  EXPECT_EQ(driver.engine.counts().held, 1U);
  const auto call = driver.next_call().value();
  EXPECT_GT(call.deadline, driver.now.monotonic + 1s);
  driver.answer(call.id);
  EXPECT_TRUE(driver.effects.finished.at(0).held);
  const auto reply = driver.take_one();
  EXPECT_TRUE(reply.topic.ends_with("/j/update/accepted"));
  EXPECT_EQ(json::parse(reply.payload).at("clientToken"), "t");
  EXPECT_EQ(driver.engine.counts().held, 0U);
  EXPECT_EQ(driver.engine.counts().updates, 0U);
  EXPECT_EQ(driver.engine.counts().update_bytes, 0U);
}

TEST(EngineHoldingTest, AnUpdateThatIsRejectedLateIsAnsweredWithoutItsClientToken) {
  EngineDriver driver;
  driver.receive({.topic = "$aws/things/T/jobs/j/update",
                  .payload = R"({"status":"SUCCEEDED","clientToken":"t"})",
                  .correlation_data = "c"});
  driver.answer(driver.next_call().value().id, unreachable);
  driver.advance(1h);
  driver.tick();
  driver.answer(driver.next_call().value().id, answer_of(404, not_found));
  const auto finished = driver.effects.finished.at(0);
  EXPECT_TRUE(finished.held);
  EXPECT_EQ(finished.client_token, "\"t\"") << "the log can name it";
  const auto reply = driver.take_one();
  EXPECT_EQ(reply.topic, "$aws/things/T/jobs/j/update/rejected");
  EXPECT_EQ(reply.correlation_data, "c");
  const auto payload = json::parse(reply.payload);
  EXPECT_EQ(payload.at("code"), "ResourceNotFound");
  EXPECT_FALSE(payload.contains("clientToken"));
  EXPECT_TRUE(payload.contains("timestamp"));
}

TEST(EngineHoldingTest, OfTwoWhoAskTheOneThatStillWaitsIsRejectedWithItsClientToken) {
  EngineDriver driver;
  driver.send_update("T", "early");
  driver.answer(driver.next_call().value().id, unreachable);
  driver.advance(9s);
  driver.tick();
  driver.send_update("T", "late");
  driver.answer(driver.next_call().value().id, answer_of(404, not_found));
  ASSERT_EQ(driver.effects.finished.size(), 2U);
  EXPECT_TRUE(driver.effects.finished[0].held);
  EXPECT_FALSE(driver.effects.finished[1].held);
  const auto replies = driver.take_publications();
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_FALSE(json::parse(replies[0].payload).contains("clientToken"));
  EXPECT_EQ(json::parse(replies[1].payload).at("clientToken"), "late");
}

TEST(EngineHoldingTest, AnUpdateThatIsRejectedInTimeKeepsItsClientToken) {
  EngineDriver driver;
  driver.send_update("T", "t");
  driver.advance(7s);
  driver.answer(driver.next_call().value().id, answer_of(404, not_found));
  EXPECT_EQ(json::parse(driver.take_one().payload).at("clientToken"), "t");
}

TEST(EngineHoldingTest, AnUpdateFromBeforeARestartIsRejectedWithoutItsClientToken) {
  EngineDriver before(durable());
  before.send_update("T", "t");
  EngineDriver driver(durable());
  ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
  driver.answer(driver.next_call().value().id, answer_of(404, not_found));
  EXPECT_FALSE(json::parse(driver.take_one().payload).contains("clientToken"));
}

TEST(EngineHoldingTest, AnUpdateIsRecordedWhenReceivedAndSettledWithItsReply) {
  EngineDriver driver(durable());
  driver.send_update("T", "t");
  driver.send("T", "start-next");
  ASSERT_EQ(driver.effects.recorded.size(), 1U);
  EXPECT_EQ(driver.effects.recorded[0].message.topic, "$aws/things/T/jobs/j/update");
  EXPECT_EQ(driver.effects.recorded[0].received, 1700000000);
  const auto number = driver.effects.recorded[0].number;
  driver.answer(driver.next_call().value().id, unreachable);
  EXPECT_TRUE(driver.effects.settled.empty());
  driver.advance(1s);
  driver.answer(driver.next_call().value().id);
  EXPECT_EQ(driver.effects.settled, std::vector{number});
}

TEST(EngineHoldingTest, AnAnsweredUpdateIsKeptUntilTheBrokerHasTakenItsReply) {
  EngineDriver driver(durable());
  driver.broker_away = true;
  driver.send_update("T", "t");
  const auto number = driver.effects.recorded.at(0).number;
  driver.answer(driver.next_call().value().id);
  EXPECT_TRUE(driver.effects.settled.empty());
  EXPECT_EQ(driver.take_one().update, number);
  EXPECT_EQ(driver.engine.counts().updates, 0U);
  EXPECT_EQ(driver.engine.counts().answered, 1U);
  EXPECT_GT(driver.engine.counts().update_bytes, 0U);
  driver.engine.reply_ended(number, driver.effects);
  EXPECT_EQ(driver.effects.settled, std::vector{number});
  EXPECT_EQ(driver.engine.counts().answered, 0U);
  EXPECT_EQ(driver.engine.counts().update_bytes, 0U);
}

TEST(EngineHoldingTest, RepliesThatTheBrokerDoesNotTakeKeepTheirPlaceInTheStoreOfUpdates) {
  EngineDriver driver({.holding = {.durable = true, .max_bytes = 2 * request_overhead}});
  driver.broker_away = true;
  driver.send_update("T", "t");
  driver.answer(driver.next_call().value().id);
  const auto number = driver.take_one().update;
  driver.send_update("U", "u");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("store of updates is full"));
  driver.engine.reply_ended(number, driver.effects);
  driver.send_update("U", "u");
  EXPECT_TRUE(driver.next_call());
}

TEST(EngineHoldingTest, TwoWhoAskForTheSameAreRecordedAndSettledEachWithItsOwnReply) {
  EngineDriver driver(durable());
  driver.broker_away = true;
  driver.send_update("T", "first");
  driver.send_update("T", "second");
  ASSERT_EQ(driver.effects.recorded.size(), 2U);
  const auto first = driver.effects.recorded[0].number;
  const auto second = driver.effects.recorded[1].number;
  EXPECT_THAT(driver.effects.recorded[1].message.payload, HasSubstr("second"));
  driver.answer(driver.next_call().value().id);
  EXPECT_FALSE(driver.next_call()) << "one call answers both";
  const auto replies = driver.take_publications();
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[0].update, first);
  EXPECT_EQ(replies[1].update, second);
  driver.engine.reply_ended(first, driver.effects);
  EXPECT_EQ(driver.effects.settled, std::vector{first});
  driver.engine.reply_ended(second, driver.effects);
  EXPECT_EQ(driver.effects.settled, (std::vector{first, second}));
  EXPECT_EQ(driver.engine.counts().update_bytes, 0U);
}

TEST(EngineHoldingTest, OfTwoWhoAskForTheSameTheOneThatCannotBeRecordedIsRejectedAlone) {
  EngineDriver driver(durable());
  driver.broker_away = true;
  driver.send_update("T", "first");
  const auto alone = driver.engine.counts();
  driver.disk_full = true;
  driver.send_update("T", "second");
  const auto rejected = driver.take_one();
  EXPECT_EQ(json::parse(rejected.payload).at("clientToken"), "second");
  EXPECT_THAT(rejected.payload, HasSubstr("the disk is full"));
  EXPECT_EQ(rejected.update, 0U);
  EXPECT_EQ(driver.engine.counts().update_bytes, alone.update_bytes);
  EXPECT_EQ(driver.engine.counts().waiting, alone.waiting);
  driver.answer(driver.next_call().value().id);
  const auto accepted = driver.take_one();
  EXPECT_EQ(json::parse(accepted.payload).at("clientToken"), "first");
  EXPECT_EQ(accepted.update, driver.effects.recorded.at(0).number);
  EXPECT_EQ(driver.engine.counts().updates, 0U);
}

TEST(EngineHoldingTest, AnUpdateWhoseTwinIsAnsweredWhileItIsRecordedIsCarriedOutItself) {
  EngineDriver driver(durable());
  driver.send_update("T", "first");
  const auto first = driver.next_call().value().id;
  driver.engine.received(driver.now,
                         {.topic = "$aws/things/T/jobs/j/update",
                          .payload = R"({"status":"SUCCEEDED","clientToken":"second"})"},
                         driver.effects);
  EXPECT_FALSE(driver.engine.is_idle()) << "it is to be recorded";
  driver.answer(first);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("first"));
  driver.engine.recorded(driver.now, driver.effects);
  driver.answer(driver.next_call().value().id);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("second"));
}

TEST(EngineHoldingTest, AnUpdateWhoseDeadlinePassesWhileItIsRecordedIsHeld) {
  EngineDriver driver(durable());
  driver.engine.received(driver.now,
                         {.topic = "$aws/things/T/jobs/j/update",
                          .payload = R"({"status":"SUCCEEDED","clientToken":"t"})"},
                         driver.effects);
  driver.now.monotonic += 9s;
  driver.tick();
  driver.engine.recorded(driver.now, driver.effects);
  driver.tick();
  EXPECT_EQ(driver.engine.counts().held, 1U);
  driver.answer(driver.next_call().value().id);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("\"t\""));
}

TEST(EngineHoldingTest, AnUpdateThatCannotBeRecordedIsRejectedAndNeverSent) {
  EngineDriver driver(durable());
  driver.disk_full = true;
  driver.send_update("T", "t");
  const auto reply = json::parse(driver.take_one().payload);
  EXPECT_EQ(reply.at("code"), "RequestThrottled");
  EXPECT_THAT(reply.at("message").get<std::string>(), HasSubstr("the disk is full"));
  EXPECT_EQ(reply.at("clientToken"), "t");
  EXPECT_FALSE(driver.next_call());
  EXPECT_EQ(driver.engine.counts().updates, 0U);
  EXPECT_TRUE(driver.effects.settled.empty()) << "it is not in the journal";
}

TEST(EngineHoldingTest, OneThatCannotBeRecordedBeforeItsDeadlineIsRejectedWithoutItsClientToken) {
  EngineDriver driver(durable());
  driver.engine.received(driver.now,
                         {.topic = "$aws/things/T/jobs/j/update",
                          .payload = R"({"status":"SUCCEEDED","clientToken":"t"})"},
                         driver.effects);
  driver.now.monotonic += 8s;
  driver.tick();
  driver.engine.not_recorded(driver.now, "the disk is full", driver.effects);
  EXPECT_TRUE(driver.effects.finished.at(0).held);
  const auto reply = json::parse(driver.take_one().payload);
  EXPECT_EQ(reply.at("code"), "RequestThrottled");
  EXPECT_FALSE(reply.contains("clientToken"));
}

TEST(EngineHoldingTest, AHeldUpdateTakesNoPlaceOfRequestsThatWait) {
  EngineDriver driver({.queue = 2, .queue_per_thing = 1});
  driver.send_update("T", "t");
  driver.advance(8s);
  driver.tick();
  EXPECT_EQ(driver.engine.counts().waiting, 0U);
  driver.send("T", "start-next");
  driver.send("U", "start-next");
  EXPECT_TRUE(driver.take_publications().empty());
}

TEST(EngineHoldingTest, PastTheStoresSizeTheNewestUpdateIsRefused) {
  EngineDriver driver({.queue = 100, .holding = {.max_bytes = 2 * (request_overhead + 100)}});
  driver.send_update("A", "a");
  driver.send_update("B", "b");
  EXPECT_TRUE(driver.take_publications().empty());
  driver.send_update("C", "c");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("RequestThrottled"));
  driver.send("C", "start-next");
  EXPECT_TRUE(driver.take_publications().empty()) << "only updates are stored";
  driver.answer(driver.next_call().value().id);
  driver.take_one();
  driver.send_update("C", "c");
  EXPECT_TRUE(driver.take_publications().empty()) << "there is room again";
}

TEST(EngineHoldingTest, ARepeatThatIsAnsweredWithAnotherUpdateTakesRoomUntilThen) {
  EngineDriver driver({.queue = 100, .holding = {.max_bytes = 3 * (request_overhead + 100)}});
  driver.send_update("A", "t");
  const auto alone = driver.engine.counts().update_bytes;
  driver.send_update("A", "t");
  EXPECT_GE(driver.engine.counts().update_bytes, alone + request_overhead);
  EXPECT_EQ(driver.engine.counts().updates, 2U);
  driver.send_update("B", "t");
  driver.send_update("C", "t");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("RequestThrottled"));
  driver.answer(driver.next_call().value().id);
  EXPECT_EQ(driver.take_publications().size(), 2U);
  EXPECT_EQ(driver.engine.counts().update_bytes, alone) << "that of B alone";
}

TEST(EngineHoldingTest, PastAThingsShareItsNewestUpdateIsRefused) {
  EngineDriver driver({.holding = {.max_per_thing = 2}});
  for (const std::string status : {"IN_PROGRESS", "FAILED"}) {
    driver.send_update("T", "t", status);
    driver.advance(8s);
    driver.tick();
  }
  driver.send_update("T", "t", "SUCCEEDED");
  EXPECT_THAT(driver.take_one().payload, HasSubstr("RequestThrottled"));
  driver.send_update("U", "t");
  EXPECT_TRUE(driver.take_publications().empty());
}

TEST(EngineHoldingTest, PastItsAgeAnUpdateIsGivenUpAndReported) {
  auto settings = durable();
  settings.holding.max_age = 48h;
  EngineDriver driver(settings);
  driver.send_update("T", "t");
  driver.advance(48h - 1s);
  driver.tick();
  EXPECT_TRUE(driver.effects.publications.empty());
  driver.advance(1s);
  driver.tick();
  ASSERT_EQ(driver.effects.finished.size(), 1U);
  EXPECT_TRUE(driver.effects.finished[0].given_up);
  EXPECT_EQ(driver.effects.settled.size(), 1U);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("within 48 hours and was given up"));
  EXPECT_FALSE(driver.next_call());
}

TEST(EngineRestoreTest, AnUpdateFromBeforeARestartIsDescribedThenSentThenAnswered) {
  EngineDriver before(durable());
  before.send_update("T", "t");
  EngineDriver driver(durable());
  driver.now.unix_seconds += 3600;
  ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
  EXPECT_EQ(driver.engine.counts().held, 1U);
  const auto describe = driver.next_call().value();
  EXPECT_EQ(describe.request.method, "GET");
  driver.answer(describe.id,
                answer_of(200, R"({"execution":{"jobId":"j","status":"IN_PROGRESS"}})"));
  const auto update = driver.next_call().value();
  EXPECT_EQ(update.request.method, "POST");
  driver.answer(update.id);
  EXPECT_EQ(driver.effects.settled.size(), 1U);
  EXPECT_EQ(driver.effects.finished.at(0).took, 3600s);
  EXPECT_EQ(json::parse(driver.take_one().payload).at("clientToken"), "t");
}

TEST(EngineRestoreTest, UpdatesOfAThingGoInTheOrderInWhichTheyCame) {
  EngineDriver before(durable());
  for (const std::string status : {"IN_PROGRESS", "FAILED", "SUCCEEDED"}) {
    before.send_update("T", "t", status);
  }
  EngineDriver driver(durable());
  for (const auto& entry : before.effects.recorded) driver.engine.restore(driver.now, entry);
  for (const std::string status : {"IN_PROGRESS", "FAILED", "SUCCEEDED"}) {
    driver.answer(driver.next_call().value().id,
                  answer_of(200, R"({"execution":{"jobId":"j","status":"QUEUED"}})"));
    const auto update = driver.next_call().value();
    EXPECT_THAT(update.request.body, HasSubstr(status));
    EXPECT_FALSE(driver.next_call());
    driver.answer(update.id);
  }
  driver.send_update("U", "u");
  EXPECT_GT(driver.effects.recorded.at(0).number, before.effects.recorded.back().number);
}

TEST(EngineRestoreTest, AllWhoAskedForTheSameBeforeARestartAreAnswered) {
  EngineDriver before(durable());
  before.send_update("T", "first");
  before.send_update("T", "second");
  EngineDriver driver(durable());
  for (const auto& entry : before.effects.recorded) driver.engine.restore(driver.now, entry);
  EXPECT_EQ(driver.engine.counts().waiting, 0U);
  EXPECT_EQ(driver.engine.counts().updates, 2U);
  const auto call = driver.next_call().value();
  ASSERT_EQ(call.request.method, "GET");
  driver.answer(call.id, answer_of(200, R"({"execution":{"jobId":"j","status":"SUCCEEDED"}})"));
  const auto replies = driver.take_publications();
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_THAT(replies[0].payload, HasSubstr("first"));
  EXPECT_THAT(replies[1].payload, HasSubstr("second"));
  EXPECT_FALSE(driver.next_call());
  EXPECT_EQ(driver.effects.settled.size(), 2U);
}

TEST(EngineRestoreTest, AnUpdateThatExpiredBeforeARestartDoesNotTakeALaterOneWithIt) {
  EngineDriver before(durable());
  Message message{.topic = "$aws/things/T/jobs/j/update",
                  .payload = R"({"status":"SUCCEEDED","clientToken":"old"})"};
  message.expires_after = 1s;
  before.receive(message);
  EngineDriver driver(durable());
  driver.now.unix_seconds += 60;
  ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
  driver.send_update("T", "new");
  const auto queued = answer_of(200, R"({"execution":{"jobId":"j","status":"QUEUED"}})");
  driver.answer(driver.next_call().value().id, queued);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("expired"));
  driver.answer(driver.next_call().value().id);
  const auto reply = driver.take_one();
  EXPECT_THAT(reply.payload, HasSubstr("new"));
  EXPECT_TRUE(reply.topic.ends_with("/accepted"));
}

TEST(EngineRestoreTest, AnUpdateThatMayHaveExpiredBeforeARestartIsNotSent) {
  EngineDriver before(durable());
  Message message{.topic = "$aws/things/T/jobs/j/update", .payload = R"({"status":"SUCCEEDED"})"};
  message.expires_after = 3s;
  before.receive(message);
  for (const int age : {1, 2}) {  // in whole seconds: 2 may be all but 3
    EngineDriver driver(durable());
    driver.now.unix_seconds += age;
    ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
    driver.answer(driver.next_call().value().id,
                  answer_of(200, R"({"execution":{"jobId":"j","status":"QUEUED"}})"));
    EXPECT_EQ(driver.next_call().has_value(), age == 1);
    EXPECT_EQ(driver.take_publications().size(), age == 1 ? 0U : 1U);
  }
}

TEST(EngineRestoreTest, NoClockMakesARestoredUpdateTooOldAtOnce) {
  EngineDriver before(durable());
  before.send_update("T", "t");
  for (const std::int64_t boot :
       {std::int64_t{0}, std::int64_t{4102444800}, INT64_MAX, INT64_MIN}) {
    EngineDriver driver(durable());
    driver.now.unix_seconds = boot;
    ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
    driver.advance(59min);
    driver.tick();
    EXPECT_TRUE(driver.effects.publications.empty());
    EXPECT_TRUE(driver.next_call());
  }
}

TEST(EngineRestoreTest, AnUpdateReceivedBeforeTheClockWasSetIsNotTooOld) {
  EngineDriver before(durable());
  before.now.unix_seconds = 60;
  before.send_update("T", "t");
  EngineDriver driver(durable());
  ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
  driver.advance(24h);
  driver.tick();
  EXPECT_TRUE(driver.effects.publications.empty());
}

TEST(EngineRestoreTest, AnUpdateThatArrivesDuringAnOrderlyEndIsLeftToTheJournal) {
  EngineDriver driver(durable());
  driver.engine.reject_new_requests();
  driver.send_update("T", "t");
  driver.send("T", "start-next");
  EXPECT_EQ(driver.effects.recorded.size(), 1U);
  EXPECT_TRUE(driver.take_one().topic.ends_with("start-next/rejected"));
  EXPECT_EQ(driver.engine.reject_remaining(driver.now, driver.effects), 1U);
}

TEST(EngineRestoreTest, WhatIsNoUpdateForThisInstanceIsNotTaken) {
  EngineDriver before(durable());
  before.send_update("T", "t");
  const auto entry = before.effects.recorded.at(0);
  EngineDriver elsewhere(durable(), "site/{thing}/jobs");
  EXPECT_FALSE(elsewhere.engine.restore(elsewhere.now, entry));
  auto other = entry;
  other.message.topic = "$aws/things/T/jobs/start-next";
  EngineDriver driver(durable());
  EXPECT_FALSE(driver.engine.restore(driver.now, other));
  EXPECT_FALSE(driver.next_call());
}

TEST(EngineRestoreTest, AtAnOrderlyEndUpdatesAreLeftToTheJournalAndTheRestIsAnswered) {
  EngineDriver driver(durable());
  driver.send_update("T", "t");
  driver.send_update("U", "u");
  driver.send("V", "start-next");
  driver.next_call();
  driver.engine.reject_new_requests();
  EXPECT_FALSE(driver.engine.is_idle());
  EXPECT_EQ(driver.engine.reject_remaining(driver.now, driver.effects), 2U);
  EXPECT_TRUE(driver.take_one().topic.ends_with("V/jobs/start-next/rejected"));
  EXPECT_TRUE(driver.effects.settled.empty());
}

TEST(EngineRestoreTest, DuringAnOrderlyEndNoHeldUpdateIsBegun) {
  EngineDriver before(durable());
  before.send_update("T", "t");
  EngineDriver driver(durable());
  ASSERT_TRUE(driver.engine.restore(driver.now, before.effects.recorded.at(0)));
  driver.send("U", "get");
  driver.engine.reject_new_requests();
  const auto call = driver.next_call().value();
  EXPECT_THAT(call.request.target, HasSubstr("U")) << "its device still waits";
  EXPECT_FALSE(driver.next_call());
  driver.answer(call.id);
  EXPECT_TRUE(driver.engine.is_idle());
}

TEST(EngineRestoreTest, UpdateWhoseCallIsBrokenOffAtAnOrderlyEndStaysInTheJournalWithoutAReply) {
  EngineDriver driver(durable());
  driver.send_update("T", "t");
  const auto call = driver.next_call();
  ASSERT_TRUE(call);
  driver.engine.reject_new_requests();
  EXPECT_EQ(driver.engine.reject_remaining(driver.now, driver.effects), 1U);
  driver.answer(call->id, HttpFailure{.kind = HttpFailure::Kind::stopped, .detail = "stopped"});
  EXPECT_TRUE(driver.effects.settled.empty());
  EXPECT_TRUE(driver.effects.publications.empty());
}

TEST(EngineRestoreTest, UpdateWhoseSettlingIsBrokenOffAtAnOrderlyEndStaysInTheJournal) {
  EngineDriver driver(durable());
  driver.send_update("T", "t");
  const auto call = driver.next_call();
  ASSERT_TRUE(call);
  driver.answer(call->id, HttpFailure{.kind = HttpFailure::Kind::broken, .detail = "reset"});
  const auto describe = driver.next_call();
  ASSERT_TRUE(describe);
  EXPECT_EQ(describe->operation, Operation::describe);
  driver.engine.reject_new_requests();
  EXPECT_EQ(driver.engine.reject_remaining(driver.now, driver.effects), 1U);
  driver.answer(describe->id, HttpFailure{.kind = HttpFailure::Kind::stopped, .detail = "stopped"});
  EXPECT_TRUE(driver.effects.settled.empty());
  EXPECT_TRUE(driver.effects.publications.empty());
}

TEST(EngineRestoreTest, NumberOfAnUpdateThatIsNotTakenIsNotGivenToAnother) {
  EngineDriver before(durable());
  before.send_update("T", "t");
  auto entry = before.effects.recorded.at(0);
  entry.number = 41;
  entry.message.topic = "$aws/things/T/jobs/start-next";
  EngineDriver driver(durable());
  EXPECT_FALSE(driver.engine.restore(driver.now, entry));
  driver.send_update("T", "t");
  EXPECT_GT(driver.effects.recorded.at(0).number, 41U);
}

TEST(EngineRestoreTest, WithoutAJournalAnOrderlyEndAnswersHeldUpdatesToo) {
  EngineDriver driver;
  driver.send_update("T", "t");
  driver.advance(1h);
  driver.tick();
  EXPECT_TRUE(driver.engine.is_idle()) << "nobody waits";
  EXPECT_EQ(driver.engine.reject_remaining(driver.now, driver.effects), 0U);
  EXPECT_THAT(driver.take_one().payload, HasSubstr("InternalError"));
}

}  // namespace
}  // namespace jobs_bridge::testing_support
