#include "bridge/flow/permissions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/unit/flow/engine_driver.h"

/// An endpoint that answers, and denies the gateway what it asks.
namespace jobs_bridge::testing_support {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

HttpOutcome denial(std::string error_type = "AccessDeniedException") {
  auto response = std::get<HttpResponse>(
      answer_of(403, R"({"message":"User: arn:aws:sts::1:assumed-role/gateway is not allowed"})"));
  response.error_type = std::move(error_type);
  return response;
}
const HttpOutcome not_found =
    answer_of(404, R"({"__type":"ResourceNotFoundException","message":"no such job"})");

EngineSettings durable() {
  return {.holding = {.durable = true}};
}

class PermissionsTest : public testing::Test {
 protected:
  void ask(const std::string& thing, const HttpOutcome& outcome,
           const std::string& below = "start-next") {
    driver_.send(thing, below, R"({"status":"SUCCEEDED"})");
    driver_.answer(driver_.next_call().value().id, outcome);
    driver_.advance(1s);
  }
  std::vector<AccessChange> changes() { return std::exchange(driver_.effects.access_changes, {}); }
  bool denies_all() const { return driver_.engine.permissions().denies_all(driver_.now.monotonic); }

  EngineDriver driver_;
};

TEST_F(PermissionsTest, TheFirstDenialIsReportedOnceWithTheReasonForTheOperatorAndTheFirstSuccess) {
  ask("pump", denial());
  ask("pump", denial());
  ask("lamp", denial());
  const auto denied = changes();
  ASSERT_EQ(denied.size(), 1U);
  EXPECT_EQ(denied[0].operation, Operation::start_next);
  EXPECT_TRUE(denied[0].denied);
  EXPECT_EQ(denied[0].cause, "HTTP 403 AccessDeniedException");
  EXPECT_THAT(denied[0].detail, HasSubstr("assumed-role/gateway is not allowed"));
  EXPECT_TRUE(denies_all());
  EXPECT_TRUE(driver_.engine.counts().endpoint_reachable) << "it answers";

  ask("lamp", answer_of(200, "{}"));
  const auto allowed = changes();
  ASSERT_EQ(allowed.size(), 1U);
  EXPECT_FALSE(allowed[0].denied);
  EXPECT_FALSE(denies_all());
}

TEST_F(PermissionsTest, OneThingThatIsDeniedWhileAnotherIsServedIsNoFindingAboutTheGateway) {
  ask("lamp", answer_of(200, "{}"));
  for (int again = 0; again < 20; ++again) ask("pump", denial());
  EXPECT_TRUE(changes().empty());
  EXPECT_FALSE(denies_all());
}

TEST_F(PermissionsTest, EveryThingThatWasServedBeforeMustBeDenied) {
  ask("lamp", answer_of(200, "{}"));
  ask("pump", answer_of(200, "{}"));
  ask("lamp", denial());
  EXPECT_TRUE(changes().empty());
  ask("pump", denial());
  EXPECT_EQ(changes().size(), 1U);
}

TEST_F(PermissionsTest, FourThingsInARowAreAFindingHoweverManyWereServedBefore) {
  for (int thing = 0; thing < 100; ++thing) {
    ask("T" + std::to_string(thing), answer_of(200, "{}"));
  }
  for (const auto* thing : {"new-1", "new-2", "new-3", "new-1", "new-2"}) ask(thing, denial());
  EXPECT_TRUE(changes().empty());
  ask("T1", answer_of(200, "{}"));
  for (const auto* thing : {"new-4", "new-1", "new-2"}) ask(thing, denial());
  EXPECT_TRUE(changes().empty()) << "one was served meanwhile";
  ask("new-3", denial());
  EXPECT_EQ(changes().size(), 1U);
}

TEST_F(PermissionsTest, AnOperationThatIsDeniedAloneLeavesOthersServed) {
  ask("lamp", answer_of(200, "{}"));
  ask("lamp", denial(), "j/update");
  const auto denied = changes();
  ASSERT_EQ(denied.size(), 1U);
  EXPECT_EQ(denied[0].operation, Operation::update);
  EXPECT_FALSE(denies_all());
  driver_.advance(11min);
  EXPECT_TRUE(denies_all()) << "nothing else was tried lately";
}

TEST_F(PermissionsTest, ARefusalForAnUnknownReasonWithANameCountsAndASignaturesDoesNot) {
  ask("lamp", denial("ForbiddenException"));
  EXPECT_EQ(changes().size(), 1U);
  EngineDriver other;
  other.send("lamp", "start-next");
  other.answer(other.next_call().value().id, denial("InvalidSignatureException"));
  EXPECT_TRUE(other.effects.access_changes.empty()) << "the circuit judges these";
}

TEST_F(PermissionsTest, ARejectionOfTheJobsApiShowsThatAccessIsAllowedAndThrottlingDoesNot) {
  ask("lamp", denial());
  changes();
  auto throttled = std::get<HttpResponse>(answer_of(429, "{}"));
  throttled.error_type = "ThrottlingException";
  driver_.send("lamp", "start-next");
  driver_.answer(driver_.next_call().value().id, throttled);
  EXPECT_TRUE(changes().empty());
  driver_.advance(10s);
  driver_.tick();
  while (driver_.next_call()) driver_.advance(10s);
  ask("pump", not_found);
  EXPECT_EQ(changes().size(), 1U);
}

/// An update from before a restart, of which only a describe can tell what became of it.
class DeniedReconciliationTest : public testing::Test {
 protected:
  DeniedReconciliationTest() {
    EngineDriver before(durable());
    before.send_update("T", "t");
    driver_.engine.restore(driver_.now, before.effects.recorded.at(0));
  }
  static EngineSettings settings() {
    auto settings = durable();
    settings.holding.max_age = 2h;
    return settings;
  }

  EngineDriver driver_{settings()};
};

TEST_F(DeniedReconciliationTest, AnUpdateWhoseFateMayNotBeAskedForIsKeptAndDeliveredLater) {
  for (int tries = 0; tries < 5; ++tries) {
    driver_.answer(driver_.wait_for_call().id, denial());
    ASSERT_TRUE(driver_.effects.finished.empty());
    ASSERT_TRUE(driver_.effects.settled.empty());
  }
  driver_.answer(driver_.wait_for_call().id,
                 answer_of(200, R"({"execution":{"jobId":"j","status":"SUCCEEDED"}})"));
  EXPECT_TRUE(driver_.take_one().topic.ends_with("/accepted"));
}

TEST_F(DeniedReconciliationTest, ItIsAskedForOnceAMinuteAtMostInTheEnd) {
  const auto end = driver_.now.monotonic + 1h;
  int calls = 0;
  for (; driver_.now.monotonic < end; ++calls) driver_.answer(driver_.wait_for_call().id, denial());
  EXPECT_GE(calls, 60) << "a mended policy is noticed within a minute";
  EXPECT_LE(calls, 250);
}

TEST_F(DeniedReconciliationTest, AtItsAgeLimitItIsLostWithAnUnknownOutcomeAndTheReason) {
  while (driver_.effects.finished.empty()) {
    if (const auto call = driver_.next_call()) driver_.answer(call->id, denial());
    driver_.now.monotonic = driver_.engine.next_tick(driver_.now.monotonic);
    driver_.tick();
  }
  const auto& finished = driver_.effects.finished[0];
  EXPECT_TRUE(finished.is_lost());
  EXPECT_THAT(finished.rejection->message,
              AllOf(HasSubstr("within 2 hours and was given up"), HasSubstr("not known")));
  EXPECT_THAT(finished.rejection->detail, HasSubstr("assumed-role/gateway is not allowed"));
  EXPECT_TRUE(finished.rejection->maybe_applied);
}

TEST_F(DeniedReconciliationTest, AnEndpointThatWillNeverTellLeavesALossAndNoRejectionOfItsOwn) {
  driver_.answer(driver_.next_call().value().id, answer_of(400, R"({"message":"no"})"));
  ASSERT_EQ(driver_.effects.finished.size(), 1U);
  EXPECT_TRUE(driver_.effects.finished[0].is_lost());
  EXPECT_TRUE(driver_.effects.finished[0].rejection->maybe_applied);
}

}  // namespace
}  // namespace jobs_bridge::testing_support
