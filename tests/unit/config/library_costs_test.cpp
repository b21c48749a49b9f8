#include "adapters/config/library_costs.h"

#include <gtest/gtest.h>

namespace jobs_bridge::config {
namespace {

class LibraryCostsTest : public ::testing::Test {
 protected:
  /// A build with one library alone has nothing to compare.
  void expect_line(const std::string& line) const {
    constexpr bool has_both = JOBS_BRIDGE_HAS_PAHO && JOBS_BRIDGE_HAS_MOSQUITTO;
    EXPECT_EQ(compare_libraries(configuration_), has_both ? line : "");
  }
  Configuration configuration_;
};

TEST_F(LibraryCostsTest, AreThoseAtTheRateThatBothQuotasAllow) {
  configuration_.limits.reads_per_second = 200;
  configuration_.limits.writes_per_second = 200;
  expect_line(
      "broker.library: \"paho\" takes about 6 % of a core for the 400 requests a second that the "
      "limits allow; \"mosquitto\" 4 % (measured on one machine; yours may differ)");
}

TEST_F(LibraryCostsTest, NameTheChosenOneFirst) {
  configuration_.broker.library = MqttLibrary::mosquitto;
  configuration_.limits.reads_per_second = 1;
  configuration_.limits.writes_per_second = 1;
  expect_line(
      "broker.library: \"mosquitto\" takes about 1 % of a core for the 2 requests a second that "
      "the limits allow; \"paho\" 1 % (measured on one machine; yours may differ)");
}

TEST_F(LibraryCostsTest, OfManyRequestsAreLessForEach) {
  configuration_.limits.reads_per_second = 5000;
  configuration_.limits.writes_per_second = 5000;
  expect_line(
      "broker.library: \"paho\" takes about 73 % of a core for the 10000 requests a second that "
      "the limits allow; \"mosquitto\" 28 % (measured on one machine; yours may differ)");
}

TEST_F(LibraryCostsTest, WithoutAQuotaAreThoseOfOneRequest) {
  configuration_.limits.reads_per_second = 200;
  expect_line(
      "broker.library: \"paho\" takes about 73 us of CPU for each request under load; "
      "\"mosquitto\" 28 us (measured on one machine; yours may differ)");
}

}  // namespace
}  // namespace jobs_bridge::config
