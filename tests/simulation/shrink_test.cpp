#include "tests/simulation/shrink.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <utility>

/// Whether worlds notice a bridge that breaks its promises, and tell it in a few lines.
namespace jobs_bridge::simulation {
namespace {

/// A bridge with a fault: what it says to a thing whose queue is full never leaves it.
class LosesRefusals final : public Publisher {
 public:
  explicit LosesRefusals(Publisher& broker) : broker_(broker) {}
  void queue(Publication publication) override {
    if (publication.payload.find("this thing's queue is full") != std::string::npos) return;
    broker_.queue(std::move(publication));
  }
  void flush() override { broker_.flush(); }

 private:
  Publisher& broker_;
};

Extras with_lost_refusals() {
  Extras extras;
  extras.between = [](Publisher& broker) { return std::make_unique<LosesRefusals>(broker); };
  return extras;
}

/// Things with short queues, which flood them, among other things that go wrong.
Plan crowded_plan() {
  using namespace std::chrono_literals;
  Plan plan;
  plan.seed = 1;
  auto& shape = plan.shape;
  shape.engine.queue_per_thing = 3;
  shape.floods = 0.05;
  shape.repeats = 0.1;
  shape.between_weathers = 10s;
  shape.between_clock_jumps = 20s;
  shape.between_full_disks = 20s;
  shape.between_broker_losses = 15s;
  shape.timer_lateness = 1ms;
  plan.script = random_script(shape, 1);
  return plan;
}

TEST(ShrinkTest, AWorldThatKeepsItsPromisesHasNothingToShrink) {
  EXPECT_FALSE(shrink(random_plan(1)));
}

TEST(ShrinkTest, AReplyThatIsLostBecomesAStoryOfAFewRequests) {
  auto plan = crowded_plan();
  const auto requests = plan.script.size();
  const auto smallest = shrink(std::move(plan), with_lost_refusals());
  ASSERT_TRUE(smallest);
  std::cout << smallest->text() << std::endl;
  EXPECT_GT(requests, 100U);
  EXPECT_NE(smallest->violation.find("all that is published goes to the broker"),
            std::string::npos);
  // One is carried out, one waits, and the third is one too many.
  EXPECT_LE(smallest->plan.script.size(), 3U);
  EXPECT_EQ(smallest->plan.shape.things, 1U);
  EXPECT_LE(smallest->plan.shape.faults.list().size(), 1U);
  EXPECT_NE(smallest->story.text().find("this thing's queue is full"), std::string::npos);
}

TEST(ShrinkTest, TheSameWorldShrinksToTheSameStory) {
  const auto once = shrink(crowded_plan(), with_lost_refusals());
  const auto again = shrink(crowded_plan(), with_lost_refusals());
  ASSERT_TRUE(once && again);
  EXPECT_EQ(once->text(), again->text());
}

}  // namespace
}  // namespace jobs_bridge::simulation
