#include "adapters/mqtt/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/mqtt/reason.h"

namespace jobs_bridge::mqtt {
namespace {

using Kind = Refusal::Kind;

struct Row {
  int reason;
  Kind kind;
  bool transient;
  ErrorCode code;
};

TEST(RefusalTest, EveryReasonOfAPubackIsFinalOrTransientAndTellsTheDeviceWhetherToRepeat) {
  for (const auto& row : {
           Row{0x80, Kind::unavailable, true, ErrorCode::request_throttled},
           Row{0x83, Kind::unavailable, true, ErrorCode::request_throttled},
           Row{0x87, Kind::not_authorized, false, ErrorCode::invalid_request},
           Row{0x90, Kind::invalid_topic, false, ErrorCode::invalid_request},
           Row{0x91, Kind::unavailable, true, ErrorCode::request_throttled},
           Row{0x95, Kind::too_large, false, ErrorCode::invalid_request},
           Row{0x97, Kind::quota_exceeded, true, ErrorCode::request_throttled},
           Row{0x99, Kind::invalid_payload, false, ErrorCode::invalid_request},
           Row{0xFE, Kind::unavailable, true, ErrorCode::request_throttled},
       }) {
    const auto refusal = refusal_of(row.reason, " (\"words\")");
    EXPECT_EQ(refusal.kind, row.kind) << row.reason;
    EXPECT_EQ(is_transient(refusal.kind), row.transient) << row.reason;
    EXPECT_EQ(code_for_device(refusal.kind), row.code) << row.reason;
    EXPECT_THAT(refusal.detail, testing::HasSubstr("(\"words\")"));
  }
}

TEST(RefusalTest, EveryKindHasAWordAReasonForTheDeviceAndAHint) {
  for (std::size_t i = 0; i < refusal_kind_count; ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_THAT(std::string(to_string(kind)), testing::MatchesRegex("[a-z_]+"));
    EXPECT_FALSE(words_for_device(kind).empty());
    EXPECT_FALSE(hint_of(kind).empty());
  }
}

TEST(RefusalTest, OnlyADisconnectThatMayBeOverAPublicationIsEvidence) {
  for (const int reason : {0x87, 0x90, 0x95, 0x99}) {
    EXPECT_EQ(evidence_of_disconnect(reason), Evidence::certain) << reason;
  }
  for (const int reason : {0x80, 0x81, 0x82, 0x83, 0x93, 0x94, 0x97}) {
    EXPECT_EQ(evidence_of_disconnect(reason), Evidence::strong) << reason;
  }
  for (const int reason : {0x00, 0x89, 0x8B, 0x8D, 0x8E, 0x96, 0x98, 0x9C, 0x9D, 0xA0}) {
    EXPECT_EQ(evidence_of_disconnect(reason), Evidence::none) << reason;
  }
}

}  // namespace
}  // namespace jobs_bridge::mqtt
