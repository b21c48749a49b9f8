#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "bridge/jobs/cbor.h"
#include "tests/unit/jobs/cbor_bytes.h"

namespace jobs_bridge {
namespace {

using namespace testing_support;
using testing::HasSubstr;

TEST(CborFromJsonTest, IntegersAreExactToTheEndsOfTheirRange) {
  for (const auto& [json, cbor] : {
           std::pair{"9007199254740993", "1b0020000000000001"},
           std::pair{"9223372036854775807", "1b7fffffffffffffff"},
           std::pair{"9223372036854775808", "1b8000000000000000"},
           std::pair{"18446744073709551615", "1bffffffffffffffff"},
           std::pair{"-9223372036854775808", "3b7fffffffffffffff"},
           std::pair{"-9223372036854775809", "3b8000000000000000"},
           std::pair{"-18446744073709551615", "3bfffffffffffffffe"},
       }) {
    EXPECT_EQ(encoded(json), cbor);
    EXPECT_EQ(decoded(bytes(cbor)), json);
  }
  for (std::uint64_t bit = 1; bit != 0; bit <<= 1) {
    for (const auto number : {bit - 1, bit, bit + 1}) {
      for (const auto& json : {std::to_string(number), "-" + std::to_string(number + 1)}) {
        if (json == "-0") continue;
        EXPECT_EQ(decoded(bytes(encoded(json))), json);
      }
    }
  }
}

TEST(CborFromJsonTest, OtherNumbersBecomeTheNearestFloat) {
  for (const auto& [json, cbor] : {
           std::pair{"18446744073709551616", "fa5f800000"},
           std::pair{"-18446744073709551616", "fadf800000"},
           std::pair{"18446744073709551617", "fa5f800000"},
           std::pair{"123456789012345678901234567890", "fb45f8ee90ff6c373e"},
           std::pair{"0.5", "fa3f000000"},
           std::pair{"1.10", "fb3ff199999999999a"},
           std::pair{"-0.0", "fa80000000"},
           std::pair{"-0", "00"},
           std::pair{"1.0", "fa3f800000"},
           std::pair{"1e2", "fa42c80000"},
           std::pair{"1e300", "fb7e37e43c8800759c"},
           std::pair{"1e-400", "fa00000000"},
       }) {
    EXPECT_EQ(encoded(json), cbor) << json;
  }
}

TEST(CborFromJsonTest, EscapesAreResolved) {
  EXPECT_EQ(encoded(R"("\u00fc\ud83d\ude00\u0000\/\n")"), "69c3bcf09f9880002f0a");
}

TEST(CborFromJsonTest, ContainersOfEveryLengthHaveTheShortestHead) {
  for (const auto& [length, head] :
       {std::pair{23U, "97"}, std::pair{24U, "9818"}, std::pair{255U, "98ff"},
        std::pair{256U, "990100"}, std::pair{65535U, "99ffff"}, std::pair{65536U, "9a00010000"}}) {
    const auto zeros = "[" + repeated("0,", length - 1) + "0]";
    EXPECT_EQ(encoded(zeros), head + repeated("00", length));
    EXPECT_EQ(decoded(bytes(encoded("[" + zeros + "," + zeros + "]"))),
              "[" + zeros + "," + zeros + "]");
    EXPECT_EQ(encoded("\"" + repeated("a", length) + "\"").substr(0, 2), length < 24      ? "77"
                                                                         : length < 256   ? "78"
                                                                         : length < 65536 ? "79"
                                                                                          : "7a");
  }
}

TEST(CborFromJsonTest, WhatCannotBeCarriedIsRefusedAndNotRepeated) {
  for (const auto* json : {R"("secret \ud800")", R"({"\udc00":1})", R"("\ud800\u0041")"}) {
    EXPECT_THAT(encoded(json), HasSubstr("refused: half of a surrogate pair as an escape"));
    EXPECT_EQ(encoded(json).find("secret"), std::string::npos);
  }
  EXPECT_THAT(encoded("[1e999]"), HasSubstr("refused: a number beyond the range of a double"));
  EXPECT_THAT(encoded("-" + repeated("9", 400)), HasSubstr("beyond the range of a double"));
  for (const auto& json : {std::string(), std::string(" "), std::string("{"), std::string("{}x"),
                           std::string("01"), std::string("\"\xFF\""), std::string("1\0", 2),
                           std::string("\xEF\xBB\xBF{}"), std::string("nan")}) {
    EXPECT_EQ(encoded(json), "refused: not JSON") << json;
  }
}

TEST(CborFromJsonTest, NestingIsRefusedPastTheLimitAndCostsNoStack) {
  const auto nested = [](std::size_t depth) { return repeated("[", depth) + repeated("]", depth); };
  EXPECT_EQ(encoded(nested(max_cbor_nesting)), repeated("81", max_cbor_nesting - 1) + "80");
  EXPECT_EQ(encoded(nested(max_cbor_nesting + 1)), "refused: nesting deeper than 64 levels");
  EXPECT_EQ(encoded(nested(1000000)), "refused: nesting deeper than 64 levels");
  EXPECT_EQ(encoded(repeated(R"({"a":)", 100000) + "1" + repeated("}", 100000)),
            "refused: nesting deeper than 64 levels");
}

/// What a device saves. Only the replies' own shape counts, so these are written out.
TEST(CborFromJsonTest, TypicalRepliesAreShorter) {
  const std::string document =
      R"({"version":"1.0","includeStdOut":true,"steps":[{"action":{"name":"download-firmware",)"
      R"("type":"runHandler","input":{"handler":"download-file.sh","args":[)"
      R"("https://ota-images-eu.s3.eu-central-1.amazonaws.com/sensor-hub/4.12.0/image.swu",)"
      R"("/var/lib/ota/image.swu"],"path":"/opt/handlers"},"runAsUser":"ota",)"
      R"("allowStdErr":10}},{"action":{"name":"verify","type":"runHandler","input":{"handler":)"
      R"("verify-digest.sh","args":[)"
      R"("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]},)"
      R"("runAsUser":"ota"}},{"action":{"name":"install","type":"runHandler","input":)"
      R"({"handler":"swupdate.sh","args":["/var/lib/ota/image.swu"]},"runAsUser":"root"}}]})";
  const std::string token = R"("5b1c7f2e-0d6a-4f0e-9d0b-6a0f6c1f2a11")";
  const auto start_next =
      R"({"execution":{"jobId":"firmware-4-12-0","thingName":"sensor-hub-0042","jobDocument":)" +
      document +
      R"(,"status":"IN_PROGRESS","statusDetails":{"step":"download","progress":"0"},)"
      R"("queuedAt":1764000000,"startedAt":1764000123,"lastUpdatedAt":1764000123,)"
      R"("versionNumber":2,"executionNumber":1},"timestamp":1764000123,"clientToken":)" +
      token + "}";
  std::string summaries;
  for (int i = 0; i < 5; ++i) {
    summaries += std::string(i == 0 ? "" : ",") + R"({"jobId":"firmware-4-12-)" +
                 std::to_string(i) +
                 R"(","queuedAt":1764000000,"lastUpdatedAt":1764000000,"versionNumber":1,)"
                 R"("executionNumber":1})";
  }
  const auto get = R"({"inProgressJobs":[],"queuedJobs":[)" + summaries +
                   R"(],"timestamp":1764000123,"clientToken":)" + token + "}";
  const auto rejected =
      R"({"code":"VersionMismatch","message":"Expected version 3 but found version 4",)"
      R"("executionState":{"status":"IN_PROGRESS","statusDetails":{"step":"install",)"
      R"("progress":"40"},"versionNumber":4},"timestamp":1764000123,"clientToken":)" +
      token + "}";
  struct Sizes {
    std::string json;
    std::size_t json_size;
    std::size_t cbor_size;
  };
  for (const auto& [json, json_size, cbor_size] :
       {Sizes{document, 640, 535}, Sizes{start_next, 986, 811}, Sizes{get, 687, 534},
        Sizes{rejected, 264, 225}}) {
    EXPECT_EQ(json.size(), json_size);
    const auto cbor = cbor_from_json(json);
    ASSERT_TRUE(cbor);
    EXPECT_EQ(cbor->size(), cbor_size);
    EXPECT_EQ(decoded(*cbor), json);
  }
}

}  // namespace
}  // namespace jobs_bridge
