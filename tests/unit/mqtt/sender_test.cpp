#include "adapters/mqtt/sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
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
using SendResult = Sender::Link::SendResult;

/// Takes publications as its script says; all, without one.
class FakeLink final : public Sender::Link {
 public:
  using Script = std::function<SendResult(Outbox::Sequence, const Publication&)>;
  explicit FakeLink(Script script = nullptr) : script_(std::move(script)) {}

  SendResult hand_over(Outbox::Sequence sequence, const Publication& publication,
                       Refusal& why) noexcept override {
    const auto topic = publication.topic;  // an acknowledgement by the script ends the publication
    const auto result = script_ ? script_(sequence, publication) : SendResult::accepted;
    if (result != SendResult::accepted) {
      why = {.kind = Refusal::Kind::too_large, .detail = "the script says so"};
    }
    const std::lock_guard lock(mutex_);
    if (result == SendResult::accepted) {
      topics_.push_back(topic);
      sequences_.push_back(sequence);
    }
    return result;
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
  void queue_reply(const std::string& topic) {
    sender.queue({.topic = topic + "/accepted",
                  .payload = R"({"execution":{},"timestamp":1,"clientToken":"t"})",
                  .correlation_data = "c",
                  .kind = Publication::Kind::accepted});
  }

  RecordingLog log;
  std::vector<std::string> failures;
  std::atomic<int> news = 0;
  MonotonicTime now{1000s};
  Sender sender{{.publications = 10, .bytes = 1000},
                log,
                [this](const std::string& cause) { failures.push_back(cause); },
                [this] { ++news; },
                [this] { return now; }};
};

TEST_F(SenderTest, LagsOnceAcknowledgementsAreLateThreeTimesInARow) {
  FakeLink link;
  sender.begin(link, 10);
  std::size_t sent = 0;
  const auto acknowledge_after = [&](Duration time) {
    queue("t");
    sender.flush();
    now += time;
    sender.acknowledged(link.sequence(sent++));
    return sender.lags();
  };
  EXPECT_FALSE(acknowledge_after(1ms));
  EXPECT_FALSE(acknowledge_after(300ms));
  EXPECT_FALSE(acknowledge_after(300ms));
  EXPECT_FALSE(acknowledge_after(1ms)) << "twice is an accident";
  EXPECT_FALSE(acknowledge_after(300ms));
  EXPECT_FALSE(acknowledge_after(300ms));
  const auto before = news.load();
  EXPECT_TRUE(acknowledge_after(300ms));
  EXPECT_EQ(news, before + 1);
  sender.end();
  sender.begin(link, 10);
  EXPECT_FALSE(sender.lags()) << "another connection";
}

TEST_F(SenderTest, AcknowledgementIsNotLateBecauseItsPublicationWasSentBeforeOnAnotherConnection) {
  FakeLink link;
  sender.begin(link, 10);
  queue("t");
  sender.flush();
  sender.end();
  sender.recall(Evidence::none);
  now += 10s;
  sender.begin(link, 10);
  sender.flush();
  sender.acknowledged(link.sequence(1));
  for (std::size_t late = 0; late < 2; ++late) {
    queue("t");
    sender.flush();
    now += 300ms;
    sender.acknowledged(link.sequence(2 + late));
  }
  EXPECT_FALSE(sender.lags()) << "twice is an accident";
}

TEST_F(SenderTest, ReportsAnUpdatesReplyWhenItIsAcknowledgedOrDroppedAndItsReplacementInstead) {
  std::vector<std::uint64_t> taken;
  sender.report_ended_replies(
      [&](const auto& updates) { taken.insert(taken.end(), updates.begin(), updates.end()); });
  const auto queue_update = [&](std::uint64_t number) {
    sender.queue({.topic = "update/accepted",
                  .payload = R"({"clientToken":"t"})",
                  .kind = Publication::Kind::accepted,
                  .update = number});
  };
  FakeLink link;
  sender.begin(link, 10);
  queue_update(1);
  queue_update(2);
  sender.flush();
  EXPECT_THAT(taken, IsEmpty()) << "sent is not taken";
  sender.acknowledged(link.sequence(0));
  EXPECT_THAT(taken, ElementsAre(1));
  sender.refused(link.sequence(1), {.kind = Refusal::Kind::not_authorized, .detail = ""});
  EXPECT_THAT(taken, ElementsAre(1)) << "its replacement is on its way";
  ASSERT_EQ(link.topics().size(), 3U);
  sender.acknowledged(link.sequence(2));
  EXPECT_THAT(taken, ElementsAre(1, 2));
  sender.end();
  queue_update(3);
  for (int i = 0; i < 10; ++i) queue("later");
  EXPECT_THAT(taken, ElementsAre(1, 2)) << "queue() calls nobody";
  sender.flush();
  EXPECT_THAT(taken, ElementsAre(1, 2, 3)) << "there was no room for it";
}

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
    return SendResult::accepted;
  });
  sender.begin(link, 1);
  for (const auto* topic : {"a", "b", "c"}) queue(topic);
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(sender.drain(0ms));
}

constexpr auto final_one = Refusal::Kind::not_authorized;
constexpr auto transient_one = Refusal::Kind::quota_exceeded;

TEST_F(SenderTest, RefusedNotificationIsLoggedCountedAndSendsTheNext) {
  FakeLink link;
  sender.begin(link, 1);
  queue("a");
  queue("b");
  sender.flush();
  sender.refused(link.sequence(0), {final_one, "no"});
  EXPECT_THAT(link.topics(), ElementsAre("a", "b"));
  EXPECT_EQ(sender.counts().unpublishable, 1U);
  EXPECT_EQ(sender.counts().unanswered, 0U) << "nobody waits for it";
  EXPECT_EQ(log.count("topic=a cause=no instead=nothing", Severity::error), 1U) << log.text();
  sender.refused(link.sequence(0), {final_one, "no"});  // a broker that says it twice
  EXPECT_EQ(sender.counts().unpublishable, 1U);
}

TEST_F(SenderTest, RefusedReplyIsReplacedByARejectionThatSaysSo) {
  std::vector<Publication> sent;
  FakeLink link([&](Outbox::Sequence, const Publication& publication) {
    sent.push_back(publication);
    return SendResult::accepted;
  });
  sender.begin(link, 1);
  queue_reply("a");
  queue("b");
  sender.flush();
  sender.refused(link.sequence(0), {final_one, "no"});
  EXPECT_THAT(link.topics(), ElementsAre("a/accepted", "a/rejected"));
  EXPECT_THAT(sent.back().payload, testing::HasSubstr(R"("code":"InvalidRequest")"));
  EXPECT_THAT(sent.back().payload, testing::HasSubstr("does not authorize"));
  EXPECT_THAT(sent.back().payload, testing::HasSubstr(R"("clientToken":"t")"));
  EXPECT_EQ(sent.back().correlation_data, "c");
  EXPECT_EQ(sender.counts().replaced, 0U) << "it has not arrived yet";
  sender.acknowledged(link.sequence(1));
  EXPECT_EQ(sender.counts().replaced, 1U);
  EXPECT_EQ(sender.counts().unanswered, 0U);
  ASSERT_TRUE(sender.counts().last_refused);
  EXPECT_EQ(sender.counts().last_refused->kind, final_one);
  EXPECT_EQ(sender.counts().last_refused->topic, "a/accepted");
  EXPECT_EQ(log.count("topic=a/accepted cause=no instead=a rejection", Severity::warning), 1U);
  EXPECT_THAT(link.topics(), ElementsAre("a/accepted", "a/rejected", "b"));
}

TEST_F(SenderTest, RejectionThatIsRefusedAsWellIsNotReplacedAgain) {
  FakeLink link;
  sender.begin(link, 1);
  queue_reply("a");
  sender.flush();
  sender.refused(link.sequence(0), {final_one, "no"});
  sender.refused(link.sequence(1), {final_one, "no"});
  EXPECT_TRUE(sender.drain(0ms));
  EXPECT_EQ(sender.counts().unpublishable, 1U);
  EXPECT_EQ(sender.counts().unanswered, 1U);
  EXPECT_EQ(log.count("cannot be published either topic=a/rejected", Severity::error), 1U)
      << log.text();
}

TEST_F(SenderTest, ReplyRefusedForNowIsSentAgainAndOthersDoNotWaitForIt) {
  FakeLink link;
  sender.begin(link, 1);
  queue_reply("a");
  queue("b");
  sender.flush();
  EXPECT_EQ(sender.due(), MonotonicTime::max());
  sender.refused(link.sequence(0), {transient_one, "later"});
  EXPECT_EQ(news, 1);
  EXPECT_THAT(link.topics(), ElementsAre("a/accepted", "b"));
  sender.acknowledged(link.sequence(1));
  EXPECT_FALSE(sender.drain(0ms));
  now = sender.due() - 1ms;
  sender.flush();
  EXPECT_EQ(link.topics().size(), 2U);
  now = sender.due();
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a/accepted", "b", "a/accepted"));
  sender.acknowledged(link.sequence(2));
  EXPECT_TRUE(sender.drain(0ms));
  EXPECT_EQ(sender.counts().unpublishable, 0U);
  EXPECT_EQ(sender.counts().retried, 1U);
}

TEST_F(SenderTest, ReplyThatIsRefusedForNowTooOftenBecomesARejectionThatAllowsARetry) {
  std::string payload;
  FakeLink link([&](Outbox::Sequence, const Publication& publication) {
    payload = publication.payload;
    return SendResult::accepted;
  });
  sender.begin(link, 1);
  queue_reply("a");
  sender.flush();
  std::size_t tries = 0;
  const auto before = now;
  while (!sender.counts().last_refused && tries < 20) {
    sender.refused(link.sequence(tries++), {transient_one, "later"});
    if (sender.due() == MonotonicTime::max()) break;
    now = sender.due();
    sender.flush();
  }
  const auto took = now - before;
  EXPECT_EQ(tries, 6U);
  EXPECT_GT(took, 7s);
  EXPECT_LT(took, 11s);
  EXPECT_EQ(link.topics().back(), "a/rejected");
  EXPECT_THAT(payload, testing::HasSubstr(R"("code":"RequestThrottled")"));
  sender.refused(link.sequence(tries), {transient_one, "later"});
  EXPECT_TRUE(sender.drain(0ms)) << "the rejection has no tries of its own";
  EXPECT_EQ(sender.counts().unanswered, 1U);
}

/// A link that is closed by a packet of a hundred bytes, and acknowledges all others.
class ClosingBroker {
 public:
  explicit ClosingBroker(Sender& sender) : sender_(sender) {}

  /// One connection after another until all is done; how many it took.
  int serve() {
    int connections = 0;
    bool closed = true;
    while (closed) {
      ++connections;
      closed = false;
      std::vector<Outbox::Sequence> taken;
      FakeLink link([&](Outbox::Sequence sequence, const Publication& publication) {
        closed = closed || publication.payload.size() >= 300;
        if (!closed) taken.push_back(sequence);
        if (!closed) delivered.push_back(publication.topic);
        return SendResult::accepted;
      });
      sender_.begin(link, 100);
      sender_.flush();
      while (!closed && !taken.empty()) {
        for (const auto sequence : std::exchange(taken, {})) sender_.acknowledged(sequence);
      }
      sender_.end();
      sender_.recall(closed ? Evidence::strong : Evidence::none);
    }
    return connections;
  }
  std::vector<std::string> delivered;

 private:
  Sender& sender_;
};

TEST_F(SenderTest, SizeThatEndedConnectionsIsNotTriedAgain) {
  Sender plenty(
      {}, log, [](const std::string&) {}, [] {});
  const auto queue_large = [&](const std::string& thing) {
    plenty.queue({.topic = thing + "/accepted",
                  .payload = "{\"x\":\"" + std::string(400, 'x') + "\"}",
                  .kind = Publication::Kind::accepted});
  };
  ClosingBroker broker(plenty);
  queue_large("a");
  EXPECT_EQ(broker.serve(), 4) << "together, alone, alone, and then its rejection";
  EXPECT_THAT(broker.delivered, ElementsAre("a/rejected"));
  EXPECT_EQ(log.count("seems to close connections because of large packets", Severity::warning),
            1U);
  for (const auto* thing : {"b", "c", "d"}) queue_large(thing);
  EXPECT_EQ(broker.serve(), 1);
  EXPECT_THAT(broker.delivered,
              ElementsAre("a/rejected", "b/rejected", "c/rejected", "d/rejected"));
  EXPECT_EQ(plenty.counts().replaced, 4U);
}

TEST_F(SenderTest, SizeOfAReplyThatIsRefusedForAnotherReasonIsTriedAgain) {
  FakeLink link;
  sender.begin(link, 10);
  const auto queue_large = [&](const std::string& thing) {
    sender.queue({.topic = thing + "/accepted",
                  .payload = "{\"x\":\"" + std::string(400, 'x') + "\"}",
                  .kind = Publication::Kind::accepted});
    sender.flush();
  };
  queue_large("a");
  sender.refused(link.sequence(0), {final_one, "no"});
  sender.acknowledged(link.sequence(1));
  queue_large("b");
  EXPECT_THAT(link.topics(), ElementsAre("a/accepted", "a/rejected", "b/accepted"));
}

TEST_F(SenderTest, LastSuspectThatIsAcknowledgedChangesWhatIsDue) {
  FakeLink link;
  sender.begin(link, 10);
  queue("a");
  sender.flush();
  sender.end();
  sender.recall(Evidence::strong);
  sender.begin(link, 10);
  sender.flush();
  const auto before = news.load();
  sender.acknowledged(link.sequence(1));
  EXPECT_EQ(news, before + 1);
}

TEST_F(SenderTest, UnsendableOneDoesNotHoldUpTheNext) {
  FakeLink link([](Outbox::Sequence, const Publication& publication) {
    return publication.topic == "bad" ? SendResult::unsendable : SendResult::accepted;
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
    return publication.topic == "b" ? SendResult::link_failed : SendResult::accepted;
  });
  sender.begin(broken, 10);
  for (const auto* topic : {"a", "b", "c"}) queue(topic);
  sender.flush();
  EXPECT_THAT(broken.topics(), ElementsAre("a"));
  EXPECT_THAT(failures, ElementsAre("the script says so"));
  sender.flush();  // without a link: nothing
  sender.end();
  sender.recall(Evidence::none);
  FakeLink link;
  sender.begin(link, 10);
  sender.flush();
  EXPECT_THAT(link.topics(), ElementsAre("a", "b", "c"));
}

TEST_F(SenderTest, WhatTheLinkDidNotAcceptIsNoSuspectOfItsEnd) {
  FakeLink link([](Outbox::Sequence, const Publication&) { return SendResult::link_failed; });
  sender.begin(link, 10);
  queue("a");
  sender.flush();
  sender.end();
  sender.recall(Evidence::strong);
  EXPECT_FALSE(sender.has_suspects());
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
  sender.recall(Evidence::none);
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
    return SendResult::accepted;
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
    return SendResult::accepted;
  });
  sender.begin(link, 10);
  queue("a");
  queue("b");
  std::thread flushing([&] { sender.flush(); });
  inside.wait(false);
  auto ending = std::async(std::launch::async, [&] { sender.end(); });
  EXPECT_EQ(ending.wait_for(50ms), std::future_status::timeout);
  go_on = true;
  go_on.notify_all();
  flushing.join();
  ending.get();
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
  Sender plenty(
      {}, log, [](const std::string&) {}, [] {});
  FakeLink link([&](Outbox::Sequence sequence, const Publication&) {
    plenty.acknowledged(sequence);
    return SendResult::accepted;
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
