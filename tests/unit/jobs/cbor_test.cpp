#include "bridge/jobs/cbor.h"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/unit/jobs/cbor_bytes.h"

namespace jobs_bridge {
namespace {

using namespace testing_support;

struct Example {
  std::string_view cbor;
  std::string_view json;
};

/// RFC 8949, appendix A, where JSON has the same: both ways.
TEST(CborTest, ExamplesOfTheStandardAreTranscodedBothWays) {
  for (const auto& [cbor, json] : {
           Example{"00", "0"},
           Example{"01", "1"},
           Example{"0a", "10"},
           Example{"17", "23"},
           Example{"18 18", "24"},
           Example{"18 64", "100"},
           Example{"19 03e8", "1000"},
           Example{"1a 000f4240", "1000000"},
           Example{"1b 000000e8d4a51000", "1000000000000"},
           Example{"1b ffffffffffffffff", "18446744073709551615"},
           Example{"3b fffffffffffffffe", "-18446744073709551615"},
           Example{"20", "-1"},
           Example{"29", "-10"},
           Example{"38 63", "-100"},
           Example{"39 03e7", "-1000"},
           Example{"fa 47c35000", "1e+05"},
           Example{"fa 7f7fffff", "3.4028234663852886e+38"},
           Example{"fb 3ff199999999999a", "1.1"},
           Example{"fb c010666666666666", "-4.1"},
           Example{"fb 7e37e43c8800759c", "1e+300"},
           Example{"f4", "false"},
           Example{"f5", "true"},
           Example{"f6", "null"},
           Example{"60", R"("")"},
           Example{"61 61", R"("a")"},
           Example{"64 49455446", R"("IETF")"},
           Example{"62 225c", R"("\"\\")"},
           Example{"62 c3bc", "\"\u00fc\""},
           Example{"63 e6b0b4", "\"\u6c34\""},
           Example{"64 f0908591", "\"\U00010151\""},
           Example{"80", "[]"},
           Example{"83 010203", "[1,2,3]"},
           Example{"83 01 820203 820405", "[1,[2,3],[4,5]]"},
           Example{"98 19 0102030405060708090a0b0c0d0e0f101112131415161718181819",
                   "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"},
           Example{"a0", "{}"},
           Example{"a2 6161 01 6162 820203", R"({"a":1,"b":[2,3]})"},
           Example{"82 6161 a1 6162 6163", R"(["a",{"b":"c"}])"},
           Example{"a5 61616141 61626142 61636143 61646144 61656145",
                   R"({"a":"A","b":"B","c":"C","d":"D","e":"E"})"},
       }) {
    EXPECT_EQ(decoded(bytes(cbor)), json);
    EXPECT_EQ(encoded(json), hexadecimal(bytes(cbor)));
  }
}

/// RFC 8949, appendix A, what an encoder of ours does not write.
TEST(CborTest, OtherExamplesOfTheStandardAreUnderstood) {
  for (const auto& [cbor, json] : {
           Example{"3b ffffffffffffffff", "-18446744073709551616"},
           Example{"f9 0000", "0.0"},
           Example{"f9 8000", "-0.0"},
           Example{"f9 3c00", "1.0"},
           Example{"f9 3e00", "1.5"},
           Example{"f9 7bff", "65504.0"},
           Example{"f9 0001", "5.960464477539063e-08"},
           Example{"f9 0400", "6.103515625e-05"},
           Example{"f9 c400", "-4.0"},
           Example{"c1 1a 514b67b0", "1363896240"},
           Example{"c1 fb 41d452d9ec200000", "1363896240.5"},
           Example{"d8 20 76 687474703a2f2f7777772e6578616d706c652e636f6d",
                   R"("http://www.example.com")"},
           Example{"7f 657374726561 646d696e67 ff", R"("streaming")"},
           Example{"7f ff", R"("")"},
           Example{"9f ff", "[]"},
           Example{"9f 01 820203 9f0405ff ff", "[1,[2,3],[4,5]]"},
           Example{"9f 01 820203 820405 ff", "[1,[2,3],[4,5]]"},
           Example{"83 01 820203 9f0405ff", "[1,[2,3],[4,5]]"},
           Example{"bf 6161 01 6162 9f0203ff ff", R"({"a":1,"b":[2,3]})"},
           Example{"82 6161 bf 6162 6163 ff", R"(["a",{"b":"c"}])"},
           Example{"bf 63 46756e f5 63 416d74 21 ff", R"({"Fun":true,"Amt":-2})"},
       }) {
    EXPECT_EQ(decoded(bytes(cbor)), json);
  }
}

}  // namespace
}  // namespace jobs_bridge
