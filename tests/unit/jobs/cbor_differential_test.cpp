#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "bridge/jobs/cbor.h"
#include "bridge/jobs/json_text.h"

/// Both directions against an independent implementation, over generated values.
namespace jobs_bridge {
namespace {

using Json = nlohmann::ordered_json;

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  Json value(int depth) {
    switch (below(depth > 0 ? 9 : 7)) {
      case 0:
        return below(2) == 0;
      case 1:
        return nullptr;
      case 2:
        return unsigned_number();
      case 3:
        return -1 - static_cast<std::int64_t>(unsigned_number() >> 1);
      case 4:
        return real_number();
      case 5:
      case 6:
        return string();
      case 7: {
        auto list = Json::array();
        for (auto count = length(depth); count > 0; --count) list.push_back(value(depth - 1));
        return list;
      }
      default: {
        auto object = Json::object();
        for (auto count = length(depth); count > 0; --count) object[string()] = value(depth - 1);
        return object;
      }
    }
  }

  /// One to three edits that break most items and leave some whole.
  std::string mutated(std::string cbor) {
    for (auto edits = 1 + below(3); edits > 0 && !cbor.empty(); --edits) {
      const auto at = below(cbor.size());
      switch (below(5)) {
        case 0:
          cbor.erase(at, 1 + below(3));
          break;
        case 1:
          cbor.insert(at, 1, static_cast<char>(random_()));
          break;
        case 2:
          cbor[at] = static_cast<char>(random_());
          break;
        case 3:
          cbor.resize(at);
          break;
        default:
          cbor[at] = static_cast<char>(cbor[at] ^ (1 << below(8)));
          break;
      }
    }
    return cbor;
  }

 private:
  std::size_t length(int depth) {
    return below(20) == 0 ? 20 + below(10) : below(static_cast<std::size_t>(depth) + 2);
  }

  std::uint64_t unsigned_number() {
    const auto wide = static_cast<std::uint64_t>(random_()) << 32 | random_();
    return wide >> below(64);
  }

  double real_number() {
    while (true) {
      const auto bits = static_cast<std::uint64_t>(random_()) << 32 | random_();
      const auto number =
          below(2) == 0
              ? std::bit_cast<double>(bits)
              : static_cast<double>(static_cast<std::int32_t>(random_())) / std::pow(2, below(40));
      if (std::isfinite(number)) return number;
    }
  }

  std::string string() {
    static constexpr const char* pieces[] = {"a", "key", "\n", "\"",   "\\",   "/",
                                             "é", "€",   "😀",  "\x1F", "\x7F", "0123456789"};
    std::string text;
    while (below(4) != 0) text += pieces[below(std::size(pieces))];
    return text;
  }

  std::mt19937 random_;
};

std::string library_cbor(const Json& tree) {
  const auto cbor = Json::to_cbor(tree);
  return {cbor.begin(), cbor.end()};
}

/// Discarded: refused. For a length that is too large it throws, whatever it has been told.
Json library_tree(const std::string& cbor) {
  try {
    return Json::from_cbor(cbor, /*strict=*/true, /*allow_exceptions=*/false,
                           Json::cbor_tag_handler_t::ignore);
  } catch (const Json::out_of_range&) {
    return Json::value_t::discarded;
  }
}

TEST(CborDifferentialTest, EncodesTheSameBytesAndDecodesTheSameValues) {
  constexpr std::uint32_t seed = 8949;
  Generator generate(seed);
  for (int i = 0; i < 40000; ++i) {
    const auto tree = generate.value(4);
    const auto text = tree.dump();
    const auto cbor = cbor_from_json(text);
    ASSERT_TRUE(cbor) << "seed " << seed << ", text " << i << ": " << cbor.error() << ": " << text;
    // The library writes every double as such; so does a text that it has parsed.
    ASSERT_EQ(*cbor, library_cbor(tree)) << "seed " << seed << ", text " << i << ": " << text;
    const auto back = json_from_cbor(*cbor);
    ASSERT_TRUE(back) << "seed " << seed << ", text " << i << ": " << back.error() << ": " << text;
    ASSERT_EQ(Json::parse(*back), tree) << "seed " << seed << ", text " << i << ": " << *back;
    // Once decoded, nothing changes any more.
    ASSERT_EQ(cbor_from_json(*back).value(), *cbor) << "seed " << seed << ", text " << i;
  }
}

/// Where the library is known to judge otherwise: integers below -2^63 (it wraps them around),
/// undefined and some tags (it refuses them), byte strings, NaN and text that is not UTF-8 (it
/// takes them), the length of 2^64 - 1 (it takes it for an indefinite one), strings within strings.
TEST(CborDifferentialTest, DamagedItemsAreJudgedAlikeOrForACauseThatIsKnown) {
  constexpr std::uint32_t seed = 7049;
  Generator generate(seed);
  int both = 0;
  int neither = 0;
  for (int i = 0; i < 150000; ++i) {
    const auto cbor = generate.mutated(library_cbor(generate.value(4)));
    const auto json = json_from_cbor(cbor);
    const auto tree = library_tree(cbor);
    if (!json) {
      ASSERT_FALSE(json.error().empty());
      neither += tree.is_discarded() ? 1 : 0;
      if (tree.is_discarded()) continue;
      const auto& error = json.error();
      const bool known = error.starts_with("a byte string") || error.starts_with("NaN") ||
                         error.starts_with("a text string that is not UTF-8") ||
                         error.starts_with("something other than a chunk of the text string") ||
                         error.starts_with("a length beyond the end of the data");
      ASSERT_TRUE(known) << "seed " << seed << ", item " << i << ": " << error;
      continue;
    }
    ASSERT_TRUE(json_text::is_json(*json)) << "seed " << seed << ", item " << i << ": " << *json;
    if (tree.is_discarded() || cbor.find('\x3B') != std::string::npos) continue;
    ++both;
    ASSERT_EQ(Json::parse(*json), tree) << "seed " << seed << ", item " << i << ": " << *json;
  }
  // The corpus is worth something only if it holds enough of each.
  EXPECT_GT(both, 10000);
  EXPECT_GT(neither, 50000);
}

}  // namespace
}  // namespace jobs_bridge
