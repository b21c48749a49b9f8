#include "adapters/config/key.h"
#include "tests/unit/config/load_fixture.h"

/// A key that takes a list, in every layer.
namespace jobs_bridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ListTest : public LoadFixture {
 protected:
  std::vector<std::string> things(const LoadOutcome& outcome) {
    EXPECT_THAT(lines(outcome.faults), IsEmpty());
    return outcome.configuration ? outcome.configuration->notify.things
                                 : std::vector<std::string>{"no configuration"};
  }
  std::vector<std::string> things_set_to(const std::string& value) {
    return things(load_more("", {"notify.things=" + value}));
  }
  std::vector<std::string> faults_of_set(const std::string& value) {
    return lines(load_more("", {"notify.things=" + value}).faults);
  }
};

TEST_F(ListTest, FileHasAnArrayOfStrings) {
  EXPECT_THAT(things(load_more("notify.things = [\"pump-1\", 'a:b_c',\n  \"D\",\n]\n")),
              ElementsAre("pump-1", "a:b_c", "D"));
  EXPECT_THAT(things(load_more("notify.things = []\n")), IsEmpty());
}

TEST_F(ListTest, OverridesSeparateElementsByCommasAndIgnoreSpacesAroundThem) {
  EXPECT_THAT(things_set_to("a"), ElementsAre("a"));
  EXPECT_THAT(things_set_to("a,b"), ElementsAre("a", "b"));
  EXPECT_THAT(things_set_to("  a , \tb  "), ElementsAre("a", "b"));
  EXPECT_THAT(things(load_more("", {}, {"JOBS_BRIDGE_NOTIFY_THINGS=a, b"})), ElementsAre("a", "b"));
}

TEST_F(ListTest, EmptyOverrideIsAnEmptyList) {
  EXPECT_THAT(things_set_to(""), IsEmpty());
  EXPECT_THAT(things_set_to("  "), IsEmpty());
  EXPECT_THAT(things(load_more("notify.things = [\"a\"]\n", {}, {"JOBS_BRIDGE_NOTIFY_THINGS="})),
              IsEmpty());
}

TEST_F(ListTest, OverrideReplacesTheListInsteadOfAddingToIt) {
  EXPECT_THAT(things(load_more("notify.things = [\"a\", \"b\"]\n", {"notify.things=c"},
                               {"JOBS_BRIDGE_NOTIFY_THINGS=d,e"})),
              ElementsAre("c"));
}

TEST_F(ListTest, OverrideMayBeAnArrayAsInTheFile) {
  EXPECT_THAT(things_set_to(R"(["a", 'b'])"), ElementsAre("a", "b"));
  EXPECT_THAT(things_set_to("[]"), IsEmpty());
  EXPECT_THAT(things(load_more("", {}, {R"(JOBS_BRIDGE_NOTIFY_THINGS=["a"])"})), ElementsAre("a"));
  for (const auto* odd : {R"(["a")", "[1]", R"(["a"] b = ["c"])", "[\"a\"]\nb = 1"}) {
    EXPECT_FALSE(faults_of_set(odd).empty()) << odd;
  }
}

TEST_F(ListTest, OverrideMayBeQuotedAsAWhole) {
  EXPECT_THAT(things_set_to("\"a,b\""), ElementsAre("a", "b"));
  EXPECT_THAT(faults_of_set("\"a\",\"b\""),
              ElementsAre("--set: notify.things: starts with a quote, but is not a valid TOML "
                          "string; remove the quotes"));
}

TEST_F(ListTest, EveryElementThatIsNotAllowedIsAFaultWithItsNumberAndLine) {
  EXPECT_THAT(faults_of("notify.things = [\"a/b\",\n  \"good\",\n  \"a,b\", \"\"]\n"),
              ElementsAre("FILE:3: notify.things: element 1: \"a/b\" is not valid; expected 1 to "
                          "128 characters from a-z, A-Z, 0-9, ':', '_' and '-'",
                          "FILE:5: notify.things: element 3: \"a,b\" is not valid; expected 1 to "
                          "128 characters from a-z, A-Z, 0-9, ':', '_' and '-'",
                          "FILE:5: notify.things: element 4: \"\" is not valid; expected 1 to 128 "
                          "characters from a-z, A-Z, 0-9, ':', '_' and '-'"));
  EXPECT_THAT(faults_of_set("a,b c,"),
              ElementsAre(HasSubstr("--set: notify.things: element 2: \"b c\" is not valid"),
                          HasSubstr("--set: notify.things: element 3: \"\" is not valid")));
  EXPECT_THAT(faults_of_set("[a]"), ElementsAre(HasSubstr("element 1: \"[a]\" is not")));
}

TEST_F(ListTest, ElementWithAControlCharacterIsAFaultThatDoesNotRepeatIt) {
  EXPECT_THAT(
      faults_of("notify.things = [\"a\\nb\"]\n"),
      ElementsAre(
          "FILE:3: notify.things: element 1: contains a control character; use printable text"));
  EXPECT_THAT(faults_of_set("a,\xff"),
              ElementsAre("--set: notify.things: element 2: is not UTF-8; use text in UTF-8"));
}

TEST_F(ListTest, ElementThatIsNoStringIsAFault) {
  EXPECT_THAT(
      faults_of("notify.things = [\"a\", 5,\n [\"b\"]]\n"),
      ElementsAre("FILE:3: notify.things: element 2 must be a string, but is a whole number; put "
                  "every element in quotes",
                  "FILE:4: notify.things: element 3 must be a string, but is an array; put every "
                  "element in quotes"));
}

TEST_F(ListTest, ElementThatIsGivenTwiceIsAWarningAndCountsOnce) {
  const auto outcome = load_more("notify.things = [\"a\", \"b\",\n \"a\"]\n");
  EXPECT_THAT(things(outcome), ElementsAre("a", "b"));
  EXPECT_THAT(
      lines(outcome.warnings),
      ElementsAre(
          "FILE:4: notify.things: element 3: \"a\" is given more than once; give it only once"));
}

TEST_F(ListTest, ThingsWhoseRepliesAreRepeatedMayBePatterns) {
  const auto outcome = load_more("notify.repeat_replies = [\"lamp\", \"site-1:*\", \"*\"]\n");
  ASSERT_TRUE(outcome.configuration);
  EXPECT_THAT(outcome.configuration->notify.repeat_replies, ElementsAre("lamp", "site-1:*", "*"));
  EXPECT_THAT(outcome.warnings, IsEmpty()) << "also without notify.enabled";
  EXPECT_THAT(
      faults_of("notify.repeat_replies = [\"lamp-*\",\n  \"lamp-?\"]\n"),
      ElementsAre(
          "FILE:4: notify.repeat_replies: element 2: \"lamp-?\" is not valid; expected 1 to 128 "
          "characters from a-z, A-Z, 0-9, ':', '_', '-' and '*', which stands for any characters"));
}

TEST_F(ListTest, DefaultLineOfEveryKindIsToml) {
  const auto line = [](std::string_view value, ValueKind kind) {
    Key key;
    key.name = "k";
    key.default_value = value;
    key.type.kind = kind;
    return key.default_line();
  };
  EXPECT_EQ(line("8s", ValueKind::text), "k = \"8s\"");
  EXPECT_EQ(line("8", ValueKind::integer), "k = 8");
  EXPECT_EQ(line("", ValueKind::list), "k = []");
  EXPECT_EQ(line("a, b", ValueKind::list), "k = [\"a\", \"b\"]");
}

}  // namespace
}  // namespace jobs_bridge::config
