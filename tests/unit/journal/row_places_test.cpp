#include "adapters/store/row_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace jobs_bridge::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RowPlacesTest, ANewEntryTakesTheLowestPlaceThatIsFreeOrWillBe) {
  RowPlaces places;
  for (std::int64_t place = 1; place <= 3; ++place) {
    EXPECT_EQ(places.for_new({}), place);
    places.take(place, static_cast<std::uint64_t>(10 * place));
  }
  EXPECT_EQ(places.for_new(places.of(std::vector<std::uint64_t>{30, 20})), 2);
  places.release(10);
  EXPECT_EQ(places.for_new(places.of(std::vector<std::uint64_t>{30, 20})), 1);
  places.take(1, 40);
  EXPECT_EQ(places.for_new({}), 4);
}

TEST(RowPlacesTest, ANumberThatIsNotThereHasNoPlace) {
  RowPlaces places;
  places.take(1, 7);
  const std::vector<std::uint64_t> numbers{8, 7};
  EXPECT_THAT(places.of(numbers), ElementsAre(1));
  places.release(8);
  places.release(7);
  EXPECT_THAT(places.of(numbers), IsEmpty());
  EXPECT_EQ(places.for_new({}), 1);
}

TEST(RowPlacesTest, GapsThatAFileHasAreFilledAndNoPlaceIsTooHigh) {
  RowPlaces places;
  places.take(2, 1);
  places.take(std::numeric_limits<std::int64_t>::max(), 2);
  EXPECT_EQ(places.for_new({}), 1);
  places.take(1, 3);
  EXPECT_EQ(places.for_new({}), 3);
  places.release(2);
  EXPECT_EQ(places.for_new({}), 3);
}

}  // namespace
}  // namespace jobs_bridge::store
