#include "bridge/flow/answered_updates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobs_bridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(AnsweredUpdatesTest, AnUpdateIsForgottenOnceItsReplyIsTaken) {
  AnsweredUpdates updates;
  updates.add(1, 100, 10);
  EXPECT_EQ(updates.bytes(), 10U);
  EXPECT_THAT(updates.reply_ended(1), ElementsAre(1));
  EXPECT_EQ(updates.size(), 0U);
  EXPECT_EQ(updates.bytes(), 0U);
  EXPECT_THAT(updates.reply_ended(1), IsEmpty());
  EXPECT_THAT(updates.reply_ended(2), IsEmpty());
}

TEST(AnsweredUpdatesTest, ALaterUpdateOfAThingIsNotForgottenBeforeAnEarlierOne) {
  AnsweredUpdates updates;
  updates.add(1, 100, 1);
  updates.add(2, 200, 1);
  updates.add(3, 100, 1);
  updates.add(4, 100, 1);
  EXPECT_THAT(updates.reply_ended(3), IsEmpty());
  EXPECT_THAT(updates.reply_ended(2), ElementsAre(2)) << "another thing's waits for nothing";
  EXPECT_EQ(updates.size(), 2U);
  EXPECT_THAT(updates.reply_ended(1), ElementsAre(1, 3));
  EXPECT_EQ(updates.bytes(), 1U);
  EXPECT_THAT(updates.reply_ended(4), ElementsAre(4));
  EXPECT_EQ(updates.bytes(), 0U);
}

}  // namespace
}  // namespace jobs_bridge
