#include "adapters/mqtt/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/recording_log.h"

namespace jobs_bridge::mqtt {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::RecordingLog;
using Handed = Sender::Link::Handed;

/// Takes publications as its script says; all, without one.
class FakeLink final : public Sender::Link {
 public:
  using Script = std::function<Handed(Outbox::Sequence, const Publication&)>;
  explicit FakeLink(Script script = nullptr) : script_(std::move(script)) {}

  Handed hand_over(Outbox::Sequence sequence, const Publication& publication,
                   std::string& cause) noexcept override {
    const auto topic = publication.topic;  // an acknowledgement by the script ends the publication
    const auto handed = script_ ? script_(sequence, publication) : Handed::over;
    if (handed != Handed::over) cause = "the script says so";
    const std::lock_guard lock(mutex_);
    if (handed == Handed::over) {
      topics_.push_back(topic);
      sequences_.push_back(sequence);
    }
    return handed;
  }

  void send_gathered() noexcept override {
    const std::lock_guard lock(mutex_);
    gathered_.push_back(topics_.size() - sent_);
    sent_ = topics_.size();
  }
  /// How many were sent together, each time.
  std::vector<std::size_t> gathered() {
    const std::lock_guard lock(mutex_);
    return gathered_;
  }

  std::vector<std::string> topics() {
    const std::lock_guard lock(mutex_);
    return topics_;
  }
  Outbox::Sequence sequence(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return sequences_.at(index);
  }

 private:
  const Script script_;
  std::mutex mutex_;
  std::vector<std::string> topics_;
  std::vector<Outbox::Sequence> sequences_;
  std::vector<std::size_t> gathered_;
  std::size_t sent_ = 0;
};

class SenderTest : public testing::Test {
 protected:
  void queue(const std::string& topic) { sender.queue({.topic = topic, .payload = "x"}); }

  RecordingLog log;
  std::vector<std::string> failures;
  Sender sender{{.publications = 10, .bytes = 1000}, log, [this](const std::string& cause) {
                  failures.push_back(cause);
                }};
};

TEST_F(SenderTest, NothingIsSentWithoutALinkAndAllWithOne) {
  queue("a");
  sender.flush();
  EXPECT_EQ(sender.counts().waiting, 1U);
  FakeLink link;
  sender.begin(link, 10);
  sender.flush();
  queue("b");
  EXPECT_THAT(link.topics(), ElementsAre("a"));
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a", "b"));
  EXPECT_EQ(sender.counts().unacknowledged, 2U);
}

TEST_F(SenderTest, WhatAFlushHandsOverIsSentTogether) {
  FakeLink link;
  sender.begin(link, 10);
  sender.flush();
  EXPECT_THAT(link.gathered(), IsEmpty());
  for (const auto* topic : {"a", "b", "c"}) queue(topic);
  sender.flush();
  queue("d");
  sender.flush();
  EXPECT_THAT(link.gathered(), ElementsAre(3U, 1U));
}

TEST_F(SenderTest, AcknowledgementSendsTheNext) {
  FakeLink link;
  sender.begin(link, 1);
  queue("a");
  queue("b");
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a"));
  sender.acknowledged(link.sequence(0));
  EXPECT_THAT(link.topics(), ElementsAre("a", "b"));
  EXPECT_FALSE(sender.drain(0ms));
  sender.acknowledged(link.sequence(1));
  EXPECT_TRUE(sender.drain(0ms));
}

TEST_F(SenderTest, AcknowledgementThatComesBeforeTheHandOverReturnsCounts) {
  FakeLink link([&](Outbox::Sequence sequence, const Publication&) {
    sender.acknowledged(sequence);
    return Handed::over;
  });
  sender.begin(link, 1);
  for (const auto* topic : {"a", "b", "c"}) queue(topic);
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(sender.drain(0ms));
}

TEST_F(SenderTest, RefusalIsLoggedCountedAndSendsTheNext) {
  FakeLink link;
  sender.begin(link, 1);
  queue("a");
  queue("b");
  sender.flush();
  sender.refused(link.sequence(0), "no");
  EXPECT_THAT(link.topics(), ElementsAre("a", "b"));
  EXPECT_EQ(sender.counts().unpublishable, 1U);
  EXPECT_EQ(log.count("topic=a cause=the broker refuses it: no", Severity::error), 1U);
  sender.refused(link.sequence(0), "no");  // a broker that says it twice
  EXPECT_EQ(sender.counts().unpublishable, 1U);
}

TEST_F(SenderTest, UnsendableOneDoesNotHoldUpTheNext) {
  FakeLink link([](Outbox::Sequence, const Publication& publication) {
    return publication.topic == "bad" ? Handed::never : Handed::over;
  });
  sender.begin(link, 1);
  queue("bad");
  queue("good");
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("good"));
  EXPECT_EQ(sender.counts().unpublishable, 1U);
  EXPECT_EQ(log.count("topic=bad cause=the script says so", Severity::error), 1U);
}

TEST_F(SenderTest, LinkThatTakesNothingIsReportedAndTheNextSendsAllInOrder) {
  FakeLink broken([](Outbox::Sequence, const Publication& publication) {
    return publication.topic == "b" ? Handed::later : Handed::over;
  });
  sender.begin(broken, 10);
  for (const auto* topic : {"a", "b", "c"}) queue(topic);
  sender.flush();
  EXPECT_THAT(broken.topics(), ElementsAre("a"));
  EXPECT_THAT(failures, ElementsAre("the script says so"));
  sender.flush();  // without a link: nothing
  sender.end();
  sender.recall();
  FakeLink link;
  sender.begin(link, 10);
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a", "b", "c"));
}

TEST_F(SenderTest, WhatAnEndedLinkLeftUnacknowledgedIsSentAgainFirst) {
  FakeLink first;
  sender.begin(first, 10);
  for (const auto* topic : {"a", "b", "c"}) queue(topic);
  sender.flush();
  sender.acknowledged(first.sequence(1));
  sender.end();
  queue("d");
  sender.flush();
  sender.acknowledged(first.sequence(0));  // in time: before the recall
  sender.recall();
  sender.acknowledged(first.sequence(2));  // too late to count
  FakeLink second;
  sender.begin(second, 10);
  sender.flush();
  EXPECT_THAT(second.topics(), ElementsAre("c", "d"));
}

TEST_F(SenderTest, ThreadThatFindsAnotherFlushingLeavesItsMessagesToThatOne) {
  FakeLink link([&, nested = false](Outbox::Sequence, const Publication& publication) mutable {
    if (publication.topic == "a" && !std::exchange(nested, true)) {
      std::thread([&] {
        queue("b");
        sender.flush();  // returns at once
      }).join();
    }
    return Handed::over;
  });
  sender.begin(link, 10);
  queue("a");
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a", "b"));
}

TEST_F(SenderTest, EndWaitsForTheFlushThatUsesTheLink) {
  std::atomic<bool> inside = false;
  std::atomic<bool> go_on = false;
  FakeLink link([&](Outbox::Sequence, const Publication&) {
    inside = true;
    inside.notify_all();
    go_on.wait(false);
    return Handed::over;
  });
  sender.begin(link, 10);
  queue("a");
  queue("b");
  std::thread flushing([&] { sender.flush(); });
  inside.wait(false);
  std::atomic<bool> ended = false;
  std::thread ending([&] {
    sender.end();
    ended = true;
  });
  EXPECT_FALSE(ended);
  go_on = true;
  go_on.notify_all();
  flushing.join();
  ending.join();
  EXPECT_LE(sender.counts().unacknowledged, 2U);
  const auto sent = link.topics().size();
  sender.flush();
  EXPECT_EQ(link.topics().size(), sent);
}

TEST_F(SenderTest, OverflowIsSaidOnceForManyAndCounted) {
  for (int i = 0; i < 100; ++i) {
    queue(std::to_string(i));
    sender.flush();
  }
  EXPECT_EQ(sender.counts().overflowed, 90U);
  EXPECT_EQ(sender.counts().waiting, 10U);
  EXPECT_EQ(log.count("replies dropped", Severity::warning), 1U);
}

TEST_F(SenderTest, ManyThreadsLoseNothingAndKeepTheirOrder) {
  Sender plenty({}, log, [](const std::string&) {});
  FakeLink link([&](Outbox::Sequence sequence, const Publication&) {
    plenty.acknowledged(sequence);
    return Handed::over;
  });
  plenty.begin(link, 5);
  constexpr int each = 5000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < each; ++i) {
        plenty.queue({.topic = std::to_string(thread), .payload = std::to_string(i)});
        plenty.flush();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(plenty.drain(0ms));
  EXPECT_EQ(link.topics().size(), 4U * each);
}

}  // namespace
}  // namespace jobs_bridge::mqtt
