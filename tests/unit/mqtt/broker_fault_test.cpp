#include "adapters/mqtt/broker_fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace jobs_bridge::mqtt {
namespace {

using testing::HasSubstr;
using Kind = BrokerFault::Kind;

TEST(BrokerFaultTest, EveryKindHasAWordOfItsOwnATextAndAHint) {
  std::set<std::string> words;
  for (std::size_t i = 0; i < broker_fault_kinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    const std::string word(to_string(kind));
    EXPECT_THAT(word, testing::MatchesRegex("[a-z][a-z0-9_]+"));
    EXPECT_TRUE(words.insert(word).second) << word;
    EXPECT_THAT(text_of({kind, "detail"}), testing::EndsWith("detail")) << word;
    EXPECT_FALSE(text_of({kind, "detail"}).ends_with('.')) << word;
    EXPECT_FALSE(hint_of(kind).empty() || hint_of(kind).ends_with('.')) << word;
  }
}

TEST(BrokerFaultTest, CodeOfAConnackDecidesTheKindInEitherVersion) {
  struct Row {
    int code;
    Kind kind;
  };
  for (const auto& [code, kind] :
       {Row{1, Kind::protocol}, Row{0x84, Kind::protocol}, Row{2, Kind::client_id},
        Row{0x85, Kind::client_id}, Row{3, Kind::unavailable}, Row{0x88, Kind::unavailable},
        Row{0x89, Kind::unavailable}, Row{0x9F, Kind::unavailable}, Row{4, Kind::credentials},
        Row{0x86, Kind::credentials}, Row{5, Kind::not_authorized}, Row{0x87, Kind::not_authorized},
        Row{0x8A, Kind::refused}, Row{0x97, Kind::refused}, Row{0x9C, Kind::other_server},
        Row{0x9D, Kind::other_server}, Row{0xFE, Kind::refused}}) {
    EXPECT_EQ(fault_of_connack(code).kind, kind) << code;
  }
  EXPECT_THAT(text_of(fault_of_connack(0xFE)), HasSubstr("(254)"));
  EXPECT_EQ(fault_of_connack(3).detail, "");
}

TEST(BrokerFaultTest, WordsOfTheBrokerAreQuotedAndServerReferenceIsShown) {
  EXPECT_EQ(
      fault_of_connack(0x87, {.reason_string = "no such\nuser", .server_reference = {}}).detail,
      "it says (\"no such?user\")");
  EXPECT_EQ(
      fault_of_connack(0x9D, {.reason_string = {}, .server_reference = "b.example:8883"}).detail,
      "its Server Reference (\"b.example:8883\")");
  EXPECT_THAT(fault_of_disconnect(0x9C).detail, HasSubstr("does not say which"));
  EXPECT_EQ(fault_of_disconnect(0x8E).kind, Kind::taken_over);
  EXPECT_EQ(fault_of_disconnect(0x8B).kind, Kind::disconnected);
}

TEST(BrokerFaultTest, RefusedSubscriptionNamesItsFilterAndWhatTheBrokerLacks) {
  EXPECT_EQ(fault_of_suback("a/+", 0x87).kind, Kind::subscription_refused);
  EXPECT_THAT(fault_of_suback("a/+", 0x87).detail, HasSubstr("a/+: Not authorized (135)"));
  EXPECT_EQ(fault_of_suback("a/+", 0x80).kind, Kind::subscription_refused);
  EXPECT_EQ(fault_of_suback("a/+", 0xA2).kind, Kind::no_wildcards);
  EXPECT_EQ(fault_of_suback("$share/g/a", 0x9E).kind, Kind::no_shared_subscriptions);
}

TEST(BrokerFaultTest, HandshakesAreToldApart) {
  using Tls = tls::HandshakeFault::Kind;
  EXPECT_EQ(fault_of(tls::HandshakeFault{Tls::untrusted, {}}).kind, Kind::certificate_untrusted);
  EXPECT_EQ(fault_of(tls::HandshakeFault{Tls::client_certificate_missing, {}}).kind,
            Kind::client_certificate_missing);
  EXPECT_EQ(fault_of(tls::HandshakeFault{Tls::version, {}}).kind, Kind::tls_version);
  EXPECT_THAT(text_of(fault_of(tls::HandshakeFault{Tls::other, "bad record"})),
              HasSubstr("handshake failed: bad record"));
}

}  // namespace
}  // namespace jobs_bridge::mqtt
