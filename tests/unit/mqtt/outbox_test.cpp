#include "adapters/mqtt/outbox.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
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
  outbox.take_back_all();
  outbox.set_window(10);
  EXPECT_EQ(send_all(outbox), (Topics{"a", "c", "d"}));
}

TEST(OutboxTest, SmallerWindowOfTheNextConnectionIsKept) {
  Outbox outbox({});
  outbox.set_window(10);
  for (const auto* name : {"a", "b", "c"}) outbox.push(named(name));
  send_all(outbox);
  outbox.take_back_all();
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
  outbox.take_back_all();
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

/// Ends connections, each of which has sent all that it may, until something is given up.
std::vector<Topics> connections_until_given_up(Outbox& outbox, std::string& given_up) {
  std::vector<Topics> sent;
  for (int connection = 0; connection < 20; ++connection) {
    sent.push_back(send_all(outbox));
    if (const auto publication = outbox.take_back_all()) {
      given_up = publication->topic;
      return sent;
    }
  }
  return sent;
}

TEST(OutboxTest, PublicationThatEndsConnectionAfterConnectionIsSentAloneAndGivenUp) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(named("poison"));
  outbox.push(named("b"));
  std::string given_up;
  const auto sent = connections_until_given_up(outbox, given_up);
  EXPECT_EQ(given_up, "poison");
  EXPECT_EQ(sent, (std::vector<Topics>{
                      {"poison", "b"}, {"poison", "b"}, {"poison"}, {"poison"}, {"poison"}}));
  EXPECT_EQ(send_all(outbox), (Topics{"b"}));
}

TEST(OutboxTest, InnocentOneSentAloneIsCleared) {
  Outbox outbox({});
  outbox.set_window(10);
  outbox.push(named("innocent"));
  outbox.push(named("b"));
  for (int i = 0; i < 2; ++i) {
    send_all(outbox);
    EXPECT_FALSE(outbox.take_back_all());
  }
  const auto alone = outbox.next();
  ASSERT_TRUE(alone);
  EXPECT_FALSE(outbox.next());
  EXPECT_TRUE(outbox.done(alone->sequence));
  EXPECT_EQ(send_all(outbox), (Topics{"b"}));
}

TEST(OutboxTest, SuspectDroppedByTheBoundNoLongerKeepsTheOthersFromBeingSentTogether) {
  Outbox outbox({.publications = 2});
  outbox.set_window(10);
  outbox.push(named("suspect"));
  outbox.push(named("b"));
  for (int i = 0; i < 2; ++i) {
    send_all(outbox);
    EXPECT_FALSE(outbox.take_back_all());
  }
  EXPECT_EQ(outbox.push(named("c")), 1U);
  EXPECT_EQ(send_all(outbox), (Topics{"b", "c"}));
}

TEST(OutboxTest, ConnectionThatEndsWithNothingUnacknowledgedAccusesNobody) {
  Outbox outbox({});
  outbox.push(named("a"));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(outbox.take_back_all());
  EXPECT_EQ(outbox.waiting(), 1U);
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

}  // namespace
}  // namespace jobs_bridge::mqtt
