#include "adapters/mqtt/outbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace jobs_bridge::mqtt {
namespace {

Publication named(const std::string& name) {
  return {.topic = name, .payload = "payload"};
}

/// Sends all that may be sent; returns the topics in order.
std::vector<std::string> send_all(Outbox& outbox,
                                  std::vector<Outbox::Sequence>* sequences = nullptr) {
  std::vector<std::string> topics;
  while (const auto entry = outbox.next()) {
    topics.push_back(entry->publication.topic);
    if (sequences != nullptr) sequences->push_back(entry->sequence);
  }
  return topics;
}

using Topics = std::vector<std::string>;

TEST(OutboxTest, NothingIsSentBeforeTheWindowIsKnown) {
  Outbox outbox({});
  outbox.push(named("a"));
  EXPECT_FALSE(outbox.next());
  outbox.set_window(1);
  EXPECT_TRUE(outbox.next());
}

TEST(OutboxTest, WindowFullHoldsTheRestUntilAnAcknowledgement) {
  Outbox outbox({});
  outbox.set_window(2);
  for (const auto* name : {"a", "b", "c", "d"}) outbox.push(named(name));
  std::vector<Outbox::Sequence> sequences;
  EXPECT_EQ(send_all(outbox, &sequences), (Topics{"a", "b"}));
  EXPECT_EQ(outbox.unacknowledged(), 2U);
  EXPECT_TRUE(outbox.done(sequences[1]));
  EXPECT_EQ(send_all(outbox), (Topics{"c"}));
}

TEST(OutboxTest, AcknowledgementOfSomethingNotUnderWayOpensNothing) {
  Outbox outbox({});
  outbox.set_window(1);
  outbox.push(named("a"));
  outbox.push(named("b"));
  const auto first = outbox.next();
  ASSERT_TRUE(first);
  const auto sequence = first->sequence;
  EXPECT_FALSE(outbox.done(sequence + 1));
  EXPECT_TRUE(outbox.done(sequence));
  EXPECT_FALSE(outbox.done(sequence));
  EXPECT_TRUE(outbox.next());
  EXPECT_FALSE(outbox.next());
}

TEST(OutboxTest, LostConnectionSendsTheUnacknowledgedAgainFirstAndInOrder) {
  Outbox outbox({});
  outbox.set_window(3);
  for (const auto* name : {"a", "b", "c", "d"}) outbox.push(named(name));
  std::vector<Outbox::Sequence> sequences;
  send_all(outbox, &sequences);
  outbox.done(sequences[1]);
  outbox.take_back_all(Evidence::none);
  outbox.set_window(10);
  EXPECT_EQ(send_all(outbox), (Topics{"a", "c", "d"}));
}

TEST(OutboxTest, SmallerWindowOfTheNextConnectionIsKept) {
  Outbox outbox({});
  outbox.set_window(10);
  for (const auto* name : {"a", "b", "c"}) outbox.push(named(name));
  send_all(outbox);
  outbox.take_back_all(Evidence::none);
  outbox.set_window(1);
  EXPECT_EQ(send_all(outbox), (Topics{"a"}));
}

TEST(OutboxTest, PublicationNotHandedOverGoesBackToItsPlace) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(named("a"));
  outbox.push(named("b"));
  const auto first = outbox.next();
  ASSERT_TRUE(first);
  outbox.take_back(first->sequence);
  outbox.push(named("c"));
  EXPECT_EQ(send_all(outbox), (Topics{"a", "b", "c"}));
}

Publication of_thing(std::uint64_t thing, const std::string& name) {
  return {.topic = name, .payload = "payload", .thing = thing};
}

TEST(OutboxTest, ThingsTakeTurnsHoweverMuchWaitsForOneOfThem) {
  Outbox outbox({});
  for (const auto* name : {"a1", "a2", "a3", "a4"}) outbox.push(of_thing(1, name));
  outbox.push(of_thing(2, "b1"));
  outbox.push(of_thing(3, "c1"));
  outbox.push(of_thing(2, "b2"));
  outbox.set_window(100);
  EXPECT_EQ(send_all(outbox), (Topics{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}));
}

TEST(OutboxTest, ThingThatComesLaterHasItsTurnAtOnceAndGetsNothingForHavingWaited) {
  Outbox outbox({});
  outbox.set_window(2);
  for (const auto* name : {"a1", "a2", "a3", "a4", "a5"}) outbox.push(of_thing(1, name));
  std::vector<Outbox::Sequence> sequences;
  EXPECT_EQ(send_all(outbox, &sequences), (Topics{"a1", "a2"}));
  for (const auto* name : {"b1", "b2", "b3"}) outbox.push(of_thing(2, name));
  outbox.set_window(100);
  EXPECT_EQ(send_all(outbox), (Topics{"b1", "a3", "b2", "a4", "b3", "a5"}));
}

TEST(OutboxTest, LostConnectionSendsTheUnacknowledgedOfAllThingsFirstAndInOrder) {
  Outbox outbox({});
  outbox.set_window(4);
  for (const auto* name : {"a1", "a2", "a3"}) outbox.push(of_thing(1, name));
  for (const auto* name : {"b1", "b2", "b3"}) outbox.push(of_thing(2, name));
  EXPECT_EQ(send_all(outbox), (Topics{"a1", "b1", "a2", "b2"}));
  outbox.take_back_all(Evidence::none);
  outbox.push(of_thing(3, "c1"));
  outbox.set_window(100);
  EXPECT_EQ(send_all(outbox), (Topics{"a1", "a2", "b1", "b2", "c1", "a3", "b3"}));
}

TEST(OutboxTest, PublicationNotHandedOverIsStillTheFirstOfItsRound) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(of_thing(1, "a1"));
  outbox.push(of_thing(2, "b1"));
  outbox.push(of_thing(1, "a2"));
  outbox.take_back(outbox.next()->sequence);
  outbox.push(of_thing(3, "c1"));
  EXPECT_EQ(send_all(outbox), (Topics{"a1", "b1", "c1", "a2"}));
}

TEST(OutboxTest, BoundDropsTheOldestWhosesoeverTurnItIs) {
  Outbox outbox({.publications = 3});
  outbox.push(of_thing(1, "a1"));
  outbox.push(of_thing(1, "a2"));
  outbox.push(of_thing(2, "b1"));
  EXPECT_EQ(outbox.push(of_thing(2, "b2")), 1U);
  outbox.set_window(10);
  EXPECT_EQ(send_all(outbox), (Topics{"b1", "a2", "b2"}));
}

TEST(OutboxTest, CountBoundDropsTheOldestThatWaits) {
  Outbox outbox({.publications = 2, .bytes = 1000});
  EXPECT_EQ(outbox.push(named("a")), 0U);
  EXPECT_EQ(outbox.push(named("b")), 0U);
  EXPECT_EQ(outbox.push(named("c")), 1U);
  outbox.set_window(10);
  EXPECT_EQ(send_all(outbox), (Topics{"b", "c"}));
}

TEST(OutboxTest, CountBoundCountsWhatIsUnacknowledged) {
  Outbox outbox({.publications = 2});
  outbox.set_window(1);
  outbox.push(named("a"));
  ASSERT_TRUE(outbox.next());
  EXPECT_EQ(outbox.push(named("b")), 0U);
  EXPECT_EQ(outbox.push(named("c")), 1U);
  EXPECT_EQ(outbox.waiting(), 1U);
}

TEST(OutboxTest, ByteBoundCountsWhatIsUnacknowledged) {
  Outbox outbox({.publications = 100, .bytes = 2 * 8});  // each: topic 1, payload 7
  outbox.set_window(1);
  outbox.push(named("a"));
  ASSERT_TRUE(outbox.next());
  EXPECT_EQ(outbox.push(named("b")), 0U);
  EXPECT_EQ(outbox.push(named("c")), 1U);
  EXPECT_EQ(outbox.waiting(), 1U);
}

TEST(OutboxTest, AcknowledgedBytesMakeRoom) {
  Outbox outbox({.publications = 100, .bytes = 8});
  outbox.set_window(1);
  outbox.push(named("a"));
  outbox.done(outbox.next()->sequence);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.push(named("b")), 0U);
}

TEST(OutboxTest, PublicationLargerThanTheBoundIsStillSent) {
  Outbox outbox({.publications = 10, .bytes = 3});
  EXPECT_EQ(outbox.push(named("a")), 0U);
  outbox.set_window(1);
  EXPECT_TRUE(outbox.next());
}

/// Ends connections, each of which has sent all that it may and heard nothing, until there is a
/// cause, which is given up.
std::vector<Topics> connections_until_given_up(Outbox& outbox, Evidence evidence,
                                               std::string& given_up) {
  std::vector<Topics> sent;
  for (int connection = 0; connection < 20; ++connection) {
    sent.push_back(send_all(outbox));
    if (const auto cause = outbox.take_back_all(evidence)) {
      given_up = outbox.find(*cause)->publication.topic;
      outbox.done(*cause);
      return sent;
    }
  }
  return sent;
}

TEST(OutboxTest, PublicationThatEndsConnectionAfterConnectionIsSentAloneAndFound) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(named("poison"));
  outbox.push(named("b"));
  std::string given_up;
  const auto sent = connections_until_given_up(outbox, Evidence::strong, given_up);
  EXPECT_EQ(given_up, "poison");
  EXPECT_EQ(sent, (std::vector<Topics>{{"poison", "b"}, {"poison"}, {"poison"}}));
  EXPECT_TRUE(outbox.has_suspects()) << "the other one was under way, too";
  EXPECT_EQ(send_all(outbox), (Topics{"b"}));
}

TEST(OutboxTest, BrokerThatSaysWhyItEndsTheConnectionIsBelievedAtOnce) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(named("poison"));
  outbox.push(named("b"));
  std::string given_up;
  const auto sent = connections_until_given_up(outbox, Evidence::certain, given_up);
  EXPECT_EQ(given_up, "poison");
  EXPECT_EQ(sent, (std::vector<Topics>{{"poison", "b"}, {"poison"}}));
}

TEST(OutboxTest, ConnectionsThatFallSilentAreWeakerEvidence) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(named("poison"));
  std::string given_up;
  EXPECT_EQ(connections_until_given_up(outbox, Evidence::weak, given_up).size(), 5U);
  EXPECT_EQ(given_up, "poison");
}

TEST(OutboxTest, ConnectionsThatEndForAnotherReasonMakeNoSuspect) {
  Outbox outbox({});
  outbox.set_window(10);
  for (const auto* name : {"a", "b"}) outbox.push(named(name));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(send_all(outbox), (Topics{"a", "b"}));
    EXPECT_FALSE(outbox.take_back_all(Evidence::none));
  }
  EXPECT_FALSE(outbox.has_suspects());
}

TEST(OutboxTest, WhateverWasUnderWayIsSentOneAtATimeUntilEachIsCleared) {
  Outbox outbox({});
  outbox.set_window(10);
  for (const auto* name : {"a", "b", "c"}) outbox.push(named(name));
  send_all(outbox);
  EXPECT_FALSE(outbox.take_back_all(Evidence::strong));
  outbox.push(named("new"));
  for (const auto* name : {"a", "b", "c"}) {
    EXPECT_TRUE(outbox.has_suspects());
    const auto alone = outbox.next();
    ASSERT_TRUE(alone);
    EXPECT_EQ(alone->publication.topic, name);
    EXPECT_FALSE(outbox.next());
    EXPECT_TRUE(outbox.done(alone->sequence));
  }
  EXPECT_FALSE(outbox.has_suspects());
  EXPECT_EQ(send_all(outbox), (Topics{"new"}));
}

/// The broker acknowledges what comes before the poison, but the acknowledgements are lost with the
/// connection, every time.
TEST(OutboxTest, OthersThanTheCauseAreKeptWhereAcknowledgementsAreLostWithTheConnection) {
  Outbox outbox({});
  outbox.set_window(100);
  for (int i = 0; i < 20; ++i) outbox.push(named("before"));
  outbox.push(named("poison"));
  for (int i = 0; i < 20; ++i) outbox.push(named("after"));
  Topics given_up;
  int connections = 0;
  while (!outbox.empty() && connections < 100) {
    ++connections;
    const bool one_at_a_time = outbox.has_suspects();
    bool ended = false;
    while (const auto entry = outbox.next()) {
      ended = ended || entry->publication.topic == "poison";
      if (!ended && one_at_a_time) outbox.done(entry->sequence);
    }
    if (!ended) break;
    if (const auto cause = outbox.take_back_all(Evidence::strong)) {
      given_up.push_back(outbox.find(*cause)->publication.topic);
      outbox.done(*cause);
    }
  }
  EXPECT_EQ(given_up, (Topics{"poison"}));
  EXPECT_EQ(connections, 4) << "together, alone, alone, and then the rest";
  EXPECT_TRUE(outbox.empty());
}

TEST(OutboxTest, SuspectDroppedByTheBoundNoLongerKeepsTheOthersFromBeingSentTogether) {
  Outbox outbox({.publications = 2});
  outbox.set_window(10);
  outbox.push(named("suspect"));
  send_all(outbox);
  EXPECT_FALSE(outbox.take_back_all(Evidence::strong));
  outbox.push(named("b"));
  EXPECT_EQ(outbox.push(named("c")), 1U);
  EXPECT_FALSE(outbox.has_suspects());
  EXPECT_EQ(send_all(outbox), (Topics{"b", "c"}));
}

TEST(OutboxTest, ConnectionThatEndsWithNothingUnacknowledgedMakesNoSuspect) {
  Outbox outbox({});
  outbox.push(named("a"));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(outbox.take_back_all(Evidence::certain));
  EXPECT_EQ(outbox.waiting(), 1U);
}

TEST(OutboxTest, ReplacementGoesToThePlaceOfWhatItStandsInForAndIsNoSuspect) {
  Outbox outbox({});
  outbox.set_window(1);
  outbox.push(of_thing(1, "a1"));
  outbox.push(of_thing(1, "a2"));
  const auto sequence = outbox.next()->sequence;
  outbox.take_back_all(Evidence::strong);
  ASSERT_EQ(outbox.next()->sequence, sequence);
  outbox.replace(sequence, of_thing(1, "instead of a1"));
  EXPECT_FALSE(outbox.has_suspects());
  EXPECT_EQ(outbox.bytes(), 13U + 7U + 2U + 7U);
  const auto entry = outbox.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->publication.topic, "instead of a1");
  EXPECT_TRUE(outbox.find(entry->sequence)->replacement);
  outbox.done(entry->sequence);
  EXPECT_EQ(send_all(outbox), (Topics{"a2"}));
}

TEST(OutboxTest, ReplacementOfTheCauseBeginsWithoutEvidence) {
  Outbox outbox({});
  outbox.set_window(1);
  outbox.push(named("poison"));
  ASSERT_TRUE(outbox.next());
  const auto cause = outbox.take_back_all(Evidence::certain);
  ASSERT_TRUE(cause);
  outbox.replace(*cause, named("instead"));
  ASSERT_TRUE(outbox.next());
  EXPECT_FALSE(outbox.take_back_all(Evidence::strong));
}

TEST(OutboxTest, PostponedOneIsNoSuspectAnyMore) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(named("a"));
  ASSERT_TRUE(outbox.next());
  outbox.take_back_all(Evidence::strong);
  EXPECT_TRUE(outbox.has_suspects());
  outbox.postpone(outbox.next()->sequence, MonotonicTime{});
  EXPECT_FALSE(outbox.has_suspects()) << "the broker has read it and not ended the connection";
}

TEST(OutboxTest, PostponedOneWaitsForItsTimeAndKeepsNoOtherFromBeingSent) {
  Outbox outbox({});
  outbox.set_window(1);
  for (const auto* name : {"a", "b", "c"}) outbox.push(named(name));
  const MonotonicTime start{};
  outbox.postpone(outbox.next()->sequence, start + std::chrono::seconds(1));
  EXPECT_EQ(outbox.due(), start + std::chrono::seconds(1));
  EXPECT_EQ(outbox.waiting(), 3U);
  outbox.release(start);
  const auto other = outbox.next();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->publication.topic, "b");
  outbox.done(other->sequence);
  outbox.release(start + std::chrono::seconds(1));
  EXPECT_EQ(outbox.due(), MonotonicTime::max());
  const auto again = outbox.next();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->publication.topic, "a") << "before what has waited for less";
  EXPECT_EQ(outbox.find(again->sequence)->refusals, 1);
  outbox.done(again->sequence);
  EXPECT_EQ(send_all(outbox), (Topics{"c"}));
}

TEST(OutboxTest, PostponedOnesCountForTheBounds) {
  Outbox outbox({.publications = 2});
  outbox.set_window(1);
  outbox.push(named("a"));
  outbox.postpone(outbox.next()->sequence, MonotonicTime::max() - Duration(1));
  EXPECT_EQ(outbox.push(named("b")), 0U);
  EXPECT_EQ(outbox.push(named("c")), 1U);
  EXPECT_FALSE(outbox.empty());
}

TEST(OutboxTest, BytesAreThoseOfWhatIsWaitingAndUnacknowledged) {
  Outbox outbox({});
  outbox.set_window(1);
  outbox.push(
      {.topic = "12", .payload = "345", .correlation_data = "6789", .content_type = "0123456"});
  outbox.push(named("a"));
  EXPECT_EQ(outbox.bytes(), 16U + 8U);
  outbox.done(outbox.next()->sequence);
  EXPECT_EQ(outbox.bytes(), 8U);
}

TEST(OutboxTest, WhatWaitsCanBeDroppedAndWhatIsUnderWayStays) {
  Outbox outbox({});
  outbox.set_window(2);
  for (const auto* name : {"a", "b", "c", "d"}) outbox.push(named(name));
  auto update = named("e");
  update.update = 7;
  outbox.push(std::move(update));
  outbox.postpone(outbox.next()->sequence, MonotonicTime(Duration(1)));
  const auto under_way = outbox.next()->sequence;
  EXPECT_EQ(outbox.drop_waiting(), 4U);
  EXPECT_EQ(outbox.take_ended_updates(), std::vector<std::uint64_t>{7});
  EXPECT_EQ(outbox.due(), MonotonicTime::max());
  EXPECT_EQ(outbox.bytes(), 8U);
  outbox.push(named("f"));
  EXPECT_EQ(send_all(outbox), (Topics{"f"}));
  EXPECT_TRUE(outbox.done(under_way));
}

}  // namespace
}  // namespace jobs_bridge::mqtt
