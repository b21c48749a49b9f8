#include "bridge/jobs/content_type.h"

#include <gtest/gtest.h>

namespace jobs_bridge {
namespace {

TEST(ContentTypeTest, TypeIsComparedWithoutCaseAndParameters) {
  for (const auto* type : {"application/cbor", "Application/CBOR", "application/cbor;v=1",
                           "application/cbor ; a=b", " application/cbor\t", "application/cbor;"}) {
    EXPECT_TRUE(is_cbor(type)) << type;
  }
  for (const auto* type : {"", " ", ";", "application/json", "application/cbor-seq", "cbor",
                           "application/cbo", "text/application/cbor", "application / cbor",
                           "application/json;application/cbor", "application/senml+cbor"}) {
    EXPECT_FALSE(is_cbor(type)) << type;
  }
}

}  // namespace
}  // namespace jobs_bridge
