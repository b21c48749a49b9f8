#include "adapters/admin/access.h"

#include <gtest/gtest.h>

namespace jobs_bridge::admin {
namespace {

TEST(AccessTest, OnlyNamesOfTheLoopbackInterfaceNameIt) {
  for (const auto* host : {"localhost", "LOCALHOST:9464", "gateway.localhost", "127.0.0.1",
                           "127.0.0.1:80", "127.8.9.1:9464", "[::1]", "[::1]:9464"}) {
    EXPECT_TRUE(names_loopback(host)) << host;
  }
  for (const auto* host :
       {"", "attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example",
        "128.0.0.1", "[::2]:80", "[::1", "10.0.0.1", "0.0.0.0", "xlocalhost"}) {
    EXPECT_FALSE(names_loopback(host)) << host;
  }
}

TEST(AccessTest, TokenMustBeTheWholeTokenBehindBearer) {
  const auto* const token = "0123456789abcdef";
  EXPECT_TRUE(shows_token("Bearer 0123456789abcdef", token));
  EXPECT_TRUE(shows_token("bearer  0123456789abcdef", token));
  for (const auto* header : {"", "Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef",
                             "Bearer 0123456789abcde", "Bearer 0123456789abcdeg",
                             "Bearer 0123456789abcdef ", "Bearer 0123456789abcdef0"}) {
    EXPECT_FALSE(shows_token(header, token)) << header;
  }
}

TEST(AccessTest, TokenHasSixteenPrintableCharactersOrMore) {
  EXPECT_TRUE(is_token("0123456789abcdef"));
  EXPECT_FALSE(is_token("0123456789abcde"));
  EXPECT_FALSE(is_token("0123456789 abcdef"));
  EXPECT_FALSE(is_token("0123456789abcdef\n"));
}

}  // namespace
}  // namespace jobs_bridge::admin
