#include "adapters/mqtt/reason.h"

#include <gtest/gtest.h>

#include <string>

namespace jobs_bridge::mqtt {
namespace {

TEST(ReasonTest, ReasonIsNamedWithItsNumberAlsoOneThatIsUnknown) {
  EXPECT_EQ(describe_reason(0x87), "Not authorized (135)");
  EXPECT_EQ(describe_reason(0xFE), "unknown reason (254)");
}

TEST(ReasonTest, ReasonStringIsQuotedAndNothingIfThereIsNone) {
  EXPECT_EQ(quote_words(""), "");
  EXPECT_EQ(quote_words("no more"), " (\"no more\")");
  EXPECT_EQ(quote_words("\xC3\xBC \xE2\x82\xAC"), " (\"\xC3\xBC \xE2\x82\xAC\")");
}

TEST(ReasonTest, ReasonStringCannotEndItsLineNorItsQuotesNorSpeakToATerminal) {
  EXPECT_EQ(quote_words(std::string("a\n\r\0\x1B\x7F\"b", 8)), " (\"a??????b\")");
  EXPECT_EQ(quote_words("a\xC2\x80\xC2\x9F\xC2\xA0z"), " (\"a??\xC2\xA0z\")");
  EXPECT_EQ(quote_words("a\xC2"), " (\"a\xC2\")");
}

TEST(ReasonTest, ReasonStringIsCutAt256BytesButNotWithinACharacter) {
  const std::string quotes = " (\"\")";
  EXPECT_EQ(quote_words(std::string(256, 'x')).size(), 256 + quotes.size());
  EXPECT_EQ(quote_words(std::string(65535, 'x')).size(), 256 + quotes.size());
  EXPECT_EQ(quote_words(std::string(255, 'x') + "\xE2\x82\xAC"),
            " (\"" + std::string(255, 'x') + "\")");
  EXPECT_EQ(quote_words(std::string(253, 'x') + "\xE2\x82\xACy"),
            " (\"" + std::string(253, 'x') + "\xE2\x82\xAC\")");
  EXPECT_EQ(quote_words(std::string(1000, '\x80')), "");
}

}  // namespace
}  // namespace jobs_bridge::mqtt
