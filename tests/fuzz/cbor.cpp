// CBOR and JSON into one another, judged by nlohmann_json. Input: a byte (even: CBOR, odd: JSON),
// then the data.

#include "bridge/jobs/cbor.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "bridge/jobs/json_text.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/judge.h"
#include "tests/fuzz/promise.h"

namespace {

using namespace jobs_bridge;
using fuzz::promise;
using nlohmann::json;

std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        in_string = false;
      }
    } else if (text[i] == '"') {
      in_string = true;
    } else if (text[i] == '[' || text[i] == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (text[i] == ']' || text[i] == '}') {
      --depth;
    }
  }
  return deepest;
}

/// Whether the judge may make something else of a number: of negative integers beyond 64 bits in
/// CBOR, which nlohmann_json reads as positive ones, and of long exponents, which the judge cuts.
bool has_long_number(std::string_view text) {
  std::size_t digits = 0;
  bool in_exponent = false;
  for (const char c : text) {
    const bool sign = c == '+' || c == '-';
    if (c == 'e' || c == 'E') in_exponent = true;
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits == 0 && !sign && c != 'e' && c != 'E') in_exponent = false;
    if (digits >= (in_exponent ? 3U : 19U)) return true;
  }
  return false;
}

void check_json(std::string_view text) {
  const bool is_json = json_text::is_json(text);
  const auto judgement = fuzz::judged(text);
  promise(is_json == judgement.has_value(), "the bridge and others agree on what is JSON");
  const auto cbor = cbor_from_json(text);
  if (!cbor) {
    promise(!cbor.error().empty(), "a refusal has a reason");
    return;
  }
  promise(is_json, "only JSON becomes CBOR");
  promise(depth_of(text) <= max_cbor_nesting, "nesting is bounded");
  const auto value = json::from_cbor(*cbor, true, false);
  promise(!value.is_discarded(), "the CBOR that we write is CBOR to others");
  if (!has_long_number(text)) {
    promise(value == *judgement, "the CBOR says what the JSON said");
  }
  const auto back = json_from_cbor(*cbor);
  promise(back.has_value(), "the CBOR that we write we read");
  const auto again = cbor_from_json(*back);
  promise(again.has_value() && *again == *cbor, "CBOR to JSON to CBOR is stable");
}

void check_cbor(std::string_view data) {
  const auto text = json_from_cbor(data);
  if (!text) {
    promise(!text.error().empty(), "a refusal has a reason");
    return;
  }
  promise(text->size() <= 8 * data.size(), "JSON is at most eight times as long");
  promise(fuzz::judged(*text).has_value(), "CBOR becomes JSON");
  promise(depth_of(*text) <= max_cbor_nesting, "nesting is bounded");
  const auto cbor = cbor_from_json(*text);
  promise(cbor.has_value(), "what was CBOR can be CBOR again");
  // Not the text itself: -2^64 fits into CBOR's integers and not into what is written as one.
  const auto back = json_from_cbor(*cbor);
  promise(back.has_value(), "the CBOR that we write we read");
  const auto again = cbor_from_json(*back);
  promise(again.has_value() && *again == *cbor, "CBOR to JSON to CBOR is stable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool as_json = input.byte() % 2 == 1;
  const auto rest = input.rest();
  if (as_json) {
    check_json(rest);
  } else {
    check_cbor(rest);
  }
  return 0;
}
