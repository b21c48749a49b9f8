#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "bridge/jobs/json_text.h"

/// The scanner against an independent parser, over generated texts. Where nlohmann_json is known
/// to judge differently from RFC 8259 the text is kept out of the comparison by its cause, never
/// by its outcome.
namespace jobs_bridge::json_text {
namespace {

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  std::string value(int depth) {
    switch (below(depth > 0 ? 8 : 6)) {
      case 0:
        return below(2) == 0 ? "true" : "false";
      case 1:
        return "null";
      case 2:
      case 3:
        return number();
      case 4:
      case 5:
        return string();
      case 6:
        return list('[', ']', depth, [&] { return value(depth - 1); });
      default:
        return object(depth);
    }
  }

  std::string object(int depth) {
    return list('{', '}', depth,
                [&] { return string() + space() + ":" + space() + value(depth - 1); });
  }

  /// One to three edits that break most texts and leave some whole.
  std::string mutated(std::string text) {
    for (auto edits = 1 + below(3); edits > 0 && !text.empty(); --edits) {
      const auto at = below(text.size());
      switch (below(6)) {
        case 0:
          text.erase(at, 1 + below(3));
          break;
        case 1:
          text.insert(at, 1, interesting());
          break;
        case 2:
          text[at] = interesting();
          break;
        case 3:
          text.resize(at);
          break;
        case 4:
          text.insert(at, text.substr(below(text.size()), below(8)));
          break;
        default:
          text[at] = static_cast<char>(random_());
          break;
      }
    }
    return text;
  }

 private:
  char interesting() {
    constexpr std::string_view set =
        "{}[]\",:\\/0123456789+-.eEutrfalsn \t\n\r\x01\x7F\x80\xBF\xC2\xE0\xED\xF0\xF4\xFF";
    return set[below(set.size())];
  }

  std::string space() {
    constexpr std::string_view set = " \t\n\r";
    std::string text;
    while (below(5) == 0) text += set[below(set.size())];
    return text;
  }

  std::string digits() {
    std::string text;
    do {
      text += static_cast<char>('0' + below(10));
    } while (below(3) != 0);
    return text;
  }

  std::string number() {
    std::string text = below(3) == 0 ? "-" : "";
    text += below(4) == 0 ? "0" : static_cast<char>('1' + below(9)) + digits();
    if (below(3) == 0) text += "." + digits();
    if (below(4) == 0) {
      text += below(2) == 0 ? "e" : "E";
      if (below(2) == 0) text += below(2) == 0 ? "+" : "-";
      text += digits().substr(0, 2);
    }
    return text;
  }

  std::string string() {
    static constexpr std::string_view pieces[] = {"a",
                                                  "key",
                                                  "\\n",
                                                  "\\\"",
                                                  "\\\\",
                                                  "\\/",
                                                  "\\u00e9",
                                                  "\\uFFFF",
                                                  "\\ud83d\\ude00",
                                                  "\xC3\xA9",
                                                  "\xE2\x82\xAC",
                                                  "\xF0\x9F\x98\x80",
                                                  " ",
                                                  "{",
                                                  "]",
                                                  "\x7F",
                                                  "\\b\\f\\r\\t",
                                                  "\\u0000"};
    std::string text = "\"";
    while (below(3) != 0) text += pieces[below(std::size(pieces))];
    return text + "\"";
  }

  template <typename Item>
  std::string list(char open, char close, int depth, Item item) {
    std::string text(1, open);
    text += space();
    for (auto count = below(static_cast<std::size_t>(depth) + 2); count > 0; --count) {
      text += item() + space();
      if (count > 1) text += "," + space();
    }
    return text + close;
  }

  std::mt19937 random_;
};

bool is_surrogate_escape(std::string_view text, char lowest, char highest) {
  if (text.size() < 6 || !text.starts_with("\\u") || (text[2] | 0x20) != 'd') return false;
  const char half = text[3] >= 'A' ? static_cast<char>(text[3] | 0x20) : text[3];
  return half >= lowest && half <= highest;
}

bool holds_half_a_surrogate_pair(std::string_view text) {
  while (true) {
    text.remove_prefix(std::min(text.find('\\'), text.size()));
    if (text.size() < 2) return false;
    if (is_surrogate_escape(text, 'c', 'f')) return true;
    if (is_surrogate_escape(text, '8', 'b')) {
      text.remove_prefix(6);
      if (!is_surrogate_escape(text, 'c', 'f')) return true;
      text.remove_prefix(6);
    } else {
      text.remove_prefix(2);
    }
  }
}

/// nlohmann_json takes NUL for the end of the input, refuses a number that overflows a double and
/// half a surrogate pair as an escape, and skips a byte order mark.
bool judged_differently(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return true;
  if (text.starts_with("\xEF\xBB\xBF")) return true;
  if (holds_half_a_surrogate_pair(text)) return true;
  std::size_t exponent_digits = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    digits = digit ? digits + 1 : 0;
    exponent_digits = c == 'e' || c == 'E'                                     ? 1
                      : exponent_digits > 0 && (digit || c == '+' || c == '-') ? exponent_digits + 1
                                                                               : 0;
    if (exponent_digits > 3 || digits > 200) return true;
  }
  return false;
}

struct Tally {
  int accepted = 0;
  int refused = 0;
  int left_out = 0;
};

void compare(const std::string& text, Tally& tally) {
  if (judged_differently(text)) {
    ++tally.left_out;
    return;
  }
  const bool expected = nlohmann::json::accept(text);
  ASSERT_EQ(is_json(text), expected) << text;
  ++(expected ? tally.accepted : tally.refused);
  const auto members = members_of(text);
  const auto first = text.find_first_not_of(" \t\r\n");
  ASSERT_EQ(members.has_value(), expected && text[first] == '{') << text;
  if (!members) {
    ASSERT_LE(members.error().offset, text.size()) << text;
    ASSERT_FALSE(members.error().message.empty()) << text;
    return;
  }
  // The spans hold what the tree holds, and putting them together again changes nothing.
  const auto tree = nlohmann::ordered_json::parse(text);
  ObjectWriter writer;
  for (const auto& member : *members) {
    ASSERT_TRUE(is_json(member.value)) << text;
    const auto key = decode_string("\"" + std::string(member.key) + "\"");
    ASSERT_TRUE(key && tree.contains(*key)) << text;
    writer.member(member.key, member.value);
  }
  ASSERT_EQ(nlohmann::ordered_json::parse(std::move(writer).object()), tree) << text;
}

TEST(JsonTextDifferentialTest, AgreesWithAnotherParserOnGeneratedTexts) {
  Generator generate(20170929);
  Tally tally;
  for (int i = 0; i < 150000; ++i) {
    const auto text = i % 2 == 0 ? generate.object(4) : generate.value(3);
    compare(text, tally);
    compare(generate.mutated(text), tally);
    if (HasFatalFailure()) return;
  }
  // The corpus is worth something only if it holds enough of both.
  EXPECT_GT(tally.accepted, 100000);
  EXPECT_GT(tally.refused, 50000);
  EXPECT_LT(tally.left_out, 60000);
}

TEST(JsonTextDifferentialTest, EveryTextOfUpToFourInterestingBytesIsJudgedAlike) {
  constexpr std::string_view alphabet = "{}[]\":,\\u0 1-.eE+tn\xC3\xA9\x1F";
  Tally tally;
  std::string text;
  const auto extend = [&](auto&& self, int left) -> void {
    compare(text, tally);
    if (left == 0 || testing::Test::HasFatalFailure()) return;
    for (const char c : alphabet) {
      text.push_back(c);
      self(self, left - 1);
      text.pop_back();
    }
  };
  extend(extend, 4);
  EXPECT_GT(tally.accepted, 300);
  EXPECT_GT(tally.refused, 200000);
}

TEST(JsonTextDifferentialTest, TheKnownDifferencesAreDecidedByTheGrammar) {
  EXPECT_FALSE(is_json(std::string_view("1\0", 2)));
  EXPECT_FALSE(is_json("\xEF\xBB\xBF{}"));
  EXPECT_TRUE(is_json("1e999"));
  EXPECT_TRUE(is_json("-" + std::string(1000, '9')));
  EXPECT_TRUE(is_json(R"("\ud800")"));
}

}  // namespace
}  // namespace jobs_bridge::json_text
