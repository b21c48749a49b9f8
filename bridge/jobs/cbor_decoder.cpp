#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "bridge/jobs/cbor.h"
#include "bridge/jobs/cbor_format.h"
#include "bridge/jobs/json_text.h"
#include "bridge/text/hex.h"

namespace jobs_bridge {
namespace {

using namespace cbor_format;

double value_of_half(std::uint64_t bits) {
  constexpr int exponent_bias = 25;  // with the mantissa read as an integer
  const auto exponent = static_cast<int>(bits >> 10 & 0x1F);
  const auto mantissa = static_cast<int>(bits & 0x3FF);
  double value = 0;
  if (exponent == 0x1F) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else {
    value = exponent == 0 ? std::ldexp(mantissa, 1 - exponent_bias)
                          : std::ldexp(mantissa + 0x400, exponent - exponent_bias);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

void append_number(std::string& json, auto number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
  json.append(digits.begin(), end);
}

void append_escaped(std::string& json, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      append_hex(json += "\\u00", c);
    } else {
      json += c;
    }
  }
}

/// Writes the JSON text while it reads. nlohmann_json's reader is not used because it recurses also
/// where its caller cannot stop it (a payload of nothing but 0x7F exhausts the stack) and wraps
/// integers below -2^63 around to positive ones.
class Decoder {
 public:
  explicit Decoder(std::string_view cbor)
      : begin_(cbor.data()), at_(begin_), end_(begin_ + cbor.size()) {
    json_.reserve(cbor.size() * 2);
  }

  Result<std::string, std::string> decode() {
    if (!everything()) {
      return Failure{message_ + " at byte " + std::to_string(item_ - begin_)};
    }
    return std::move(json_);
  }

 private:
  struct Head {
    Major major = Major::other;
    std::uint8_t information = 0;
    std::uint64_t argument = 0;
    [[nodiscard]] bool is_indefinite() const { return information == indefinite; }
  };
  struct Open {
    bool is_map = false;
    bool is_indefinite = false;
    std::uint64_t length = 0;  ///< of a map: keys and values
    std::uint64_t items = 0;   ///< that have been begun
    [[nodiscard]] bool key_is_next() const { return is_map && items % 2 == 0; }
  };

  bool fail(std::string message) {
    message_ = std::move(message);
    return false;
  }
  [[nodiscard]] std::uint64_t left() const { return static_cast<std::uint64_t>(end_ - at_); }
  [[nodiscard]] bool at_break() const { return at_ != end_ && *at_ == break_code; }

  bool everything() {
    if (!item()) return false;
    while (!open_.empty()) {
      auto& innermost = open_.back();
      const bool ends = innermost.is_indefinite ? at_break() : innermost.items == innermost.length;
      if (ends) {
        if (!close()) return false;
        continue;
      }
      if (innermost.items > 0) json_ += innermost.is_map && !innermost.key_is_next() ? ':' : ',';
      const bool is_key = innermost.key_is_next();
      ++innermost.items;
      if (!(is_key ? key() : item())) return false;
    }
    item_ = at_;
    return at_ == end_ || fail("trailing data after the item");
  }

  /// The next byte begins something that errors are to name.
  bool head(Head& head) {
    item_ = at_;
    if (at_ == end_) return fail("the data end too early,");
    const auto first = static_cast<std::uint8_t>(*at_++);
    head.major = static_cast<Major>(first >> 5);
    head.information = first & 0x1F;
    head.argument = head.information;
    if (head.information < in_one_byte) return true;
    if (head.information > in_eight_bytes) {
      const bool may_be_indefinite =
          (head.major >= Major::byte_string && head.major <= Major::map) ||
          head.major == Major::other;
      return (head.is_indefinite() && may_be_indefinite) || fail("a reserved value");
    }
    const auto size = std::uint64_t{1} << (head.information - in_one_byte);
    if (left() < size) return fail("the data end too early, in the item");
    head.argument = 0;
    for (const char* stop = at_ + size; at_ != stop; ++at_) {
      head.argument = head.argument << 8 | static_cast<std::uint8_t>(*at_);
    }
    return true;
  }

  bool head_behind_tags(Head& found) {
    do {
      if (!head(found)) return false;
    } while (found.major == Major::tag);
    return true;
  }

  bool key() {
    Head found;
    if (!head_behind_tags(found)) return false;
    return found.major == Major::text_string ? text(found)
                                             : fail("a map key that is not a text string");
  }

  bool item() {
    Head found;
    if (!head_behind_tags(found)) return false;
    switch (found.major) {
      case Major::unsigned_integer:
        append_number(json_, found.argument);
        return true;
      case Major::negative_integer:
        negative(found.argument);
        return true;
      case Major::text_string:
        return text(found);
      case Major::array:
      case Major::map:
        return open(found);
      case Major::other:
        return other(found);
      case Major::byte_string:
      case Major::tag:
        break;
    }
    return fail("a byte string, which JSON cannot represent,");
  }

  /// -1 - argument.
  void negative(std::uint64_t argument) {
    if (argument == std::numeric_limits<std::uint64_t>::max()) {
      json_ += "-18446744073709551616";
    } else {
      json_ += '-';
      append_number(json_, argument + 1);
    }
  }

  bool text(const Head& head) {
    const char* start = item_;
    const auto written = json_.size();
    json_ += '"';
    if (head.is_indefinite() ? !chunks() : !characters(head.argument)) return false;
    json_ += '"';
    item_ = start;
    // All that needs escaping is escaped by now, so only invalid UTF-8 can make it fail.
    return json_text::is_json(std::string_view(json_).substr(written)) ||
           fail("a text string that is not UTF-8");
  }

  /// Of a string of indefinite length (section 3.2.3).
  bool chunks() {
    while (!at_break()) {
      Head chunk;
      if (!head(chunk)) return false;
      if (chunk.major != Major::text_string || chunk.is_indefinite()) {
        return fail("something other than a chunk of the text string around it");
      }
      if (!characters(chunk.argument)) return false;
    }
    ++at_;
    return true;
  }

  bool characters(std::uint64_t length) {
    if (length > left()) return fail("a length beyond the end of the data");
    append_escaped(json_, {at_, static_cast<std::size_t>(length)});
    at_ += length;
    return true;
  }

  bool open(const Head& head) {
    if (open_.size() == max_cbor_nesting) return fail(too_deep());
    const bool is_map = head.major == Major::map;
    Open container{.is_map = is_map, .is_indefinite = head.is_indefinite()};
    if (!container.is_indefinite) {
      const std::uint64_t bytes_at_least = is_map ? 2 : 1;
      if (head.argument > left() / bytes_at_least) {
        return fail("a length beyond the end of the data");
      }
      container.length = head.argument * bytes_at_least;
    }
    json_ += is_map ? '{' : '[';
    open_.push_back(container);
    return true;
  }

  bool close() {
    const auto& innermost = open_.back();
    if (innermost.is_indefinite) {
      item_ = at_++;
      if (innermost.is_map && !innermost.key_is_next()) return fail("a misplaced break code");
    }
    json_ += innermost.is_map ? '}' : ']';
    open_.pop_back();
    return true;
  }

  bool other(const Head& head) {
    switch (head.information) {
      case simple_false:
        json_ += "false";
        return true;
      case simple_true:
        json_ += "true";
        return true;
      case simple_null:
      case simple_undefined:
        json_ += "null";
        return true;
      case half_float:
        return number(value_of_half(head.argument));
      case single_float:
        return number(std::bit_cast<float>(static_cast<std::uint32_t>(head.argument)));
      case double_float:
        return number(std::bit_cast<double>(head.argument));
      case indefinite:
        return fail("a misplaced break code");
      default:
        return fail("an unassigned simple value");
    }
  }

  bool number(double value) {
    if (!std::isfinite(value)) return fail("NaN or infinity, which JSON cannot represent,");
    const auto written = json_.size();
    append_number(json_, value);
    if (json_.find_first_of(".e", written) == std::string::npos) json_ += ".0";
    return true;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const char* item_ = begin_;  ///< where the last head begins
  std::string json_;
  std::vector<Open> open_;  ///< innermost last
  std::string message_;
};

}  // namespace

Result<std::string, std::string> json_from_cbor(std::string_view cbor) {
  return Decoder(cbor).decode();
}

}  // namespace jobs_bridge
