#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bridge/jobs/cbor.h"
#include "bridge/jobs/cbor_format.h"
#include "bridge/jobs/json_text.h"

namespace jobs_bridge {
namespace {

using namespace cbor_format;

void append_argument(std::string& cbor, std::uint64_t argument, unsigned size) {
  for (; size > 0; --size) cbor += static_cast<char>(argument >> (8 * (size - 1)) & 0xFF);
}

void append_first(std::string& cbor, Major major, std::uint8_t information) {
  cbor += static_cast<char>(static_cast<std::uint8_t>(major) << 5 | information);
}

void append_head(std::string& cbor, Major major, std::uint64_t argument) {
  if (argument < in_one_byte) {
    append_first(cbor, major, static_cast<std::uint8_t>(argument));
    return;
  }
  std::uint8_t information = in_one_byte;
  unsigned size = 1;
  for (; size < 8 && argument >> (8 * size) != 0; size *= 2) ++information;
  append_first(cbor, major, information);
  append_argument(cbor, argument, size);
}

void append_float(std::string& cbor, double value) {
  const bool in_range = std::abs(value) <= std::numeric_limits<float>::max();
  const auto single = in_range ? static_cast<float>(value) : 0;
  if (in_range && static_cast<double>(single) == value) {
    append_first(cbor, Major::other, single_float);
    append_argument(cbor, std::bit_cast<std::uint32_t>(single), sizeof single);
  } else {
    append_first(cbor, Major::other, double_float);
    append_argument(cbor, std::bit_cast<std::uint64_t>(value), sizeof value);
  }
}

/// Writes CBOR from the events of nlohmann_json, which parses JSON without recursion.
class Encoder final : public nlohmann::json::json_sax_t {
 public:
  explicit Encoder(std::size_t size) { cbor_.reserve(size); }

  Result<std::string, std::string> encode(std::string_view json) {
    nlohmann::json::json_sax_t* const events = this;
    if (!nlohmann::json::sax_parse(json, events)) return Failure{std::move(message_)};
    return std::move(cbor_);
  }

 private:
  /// A container whose length is not known yet: one byte is left free for it.
  struct Open {
    std::size_t at;
    std::uint64_t length;
    Major major;
  };

  bool null() override { return simple(simple_null); }
  bool boolean(bool value) override { return simple(value ? simple_true : simple_false); }

  bool number_integer(number_integer_t value) override {
    count();
    if (value >= 0) {
      append_head(cbor_, Major::unsigned_integer, static_cast<std::uint64_t>(value));
    } else {
      append_head(cbor_, Major::negative_integer, static_cast<std::uint64_t>(-1 - value));
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    count();
    append_head(cbor_, Major::unsigned_integer, value);
    return true;
  }

  bool number_float(number_float_t value, const string_t& text) override {
    count();
    std::uint64_t magnitude = 0;
    const auto* end = text.data() + text.size();
    // What does not fit into the library's integers may still fit into CBOR's.
    if (text.starts_with('-') && std::from_chars(text.data() + 1, end, magnitude).ptr == end &&
        magnitude > 0) {
      append_head(cbor_, Major::negative_integer, magnitude - 1);
      return true;
    }
    append_float(cbor_, value);
    return true;
  }

  bool string(string_t& text) override {
    count();
    return append_text(text);
  }
  bool key(string_t& text) override {
    ++open_.back().length;
    return append_text(text);
  }

  bool start_object(std::size_t) override { return open(Major::map); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Major::array); }
  bool end_array() override { return close(); }

  bool binary(binary_t&) override { return false; }  // JSON has none
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    constexpr int number_overflow = 406;
    message_ = (error.id == number_overflow ? "a number beyond the range of a double"
                                            : "half of a surrogate pair as an escape") +
               std::string(" at byte ") + std::to_string(position);
    return false;
  }

  /// Before every value.
  void count() {
    if (!open_.empty() && open_.back().major == Major::array) ++open_.back().length;
  }

  bool simple(std::uint8_t value) {
    count();
    append_head(cbor_, Major::other, value);
    return true;
  }

  bool append_text(const std::string& text) {
    append_head(cbor_, Major::text_string, text.size());
    cbor_ += text;
    return true;
  }

  bool open(Major major) {
    if (open_.size() == max_cbor_nesting) {
      message_ = too_deep();
      return false;
    }
    count();
    open_.push_back({.at = cbor_.size(), .length = 0, .major = major});
    cbor_ += '\0';
    return true;
  }

  bool close() {
    const auto container = open_.back();
    open_.pop_back();
    std::string head;
    append_head(head, container.major, container.length);
    cbor_.replace(container.at, 1, head);
    return true;
  }

  std::string cbor_;
  std::vector<Open> open_;  ///< innermost last
  std::string message_;
};

}  // namespace

Result<std::string, std::string> cbor_from_json(std::string_view json) {
  // Not left to the library, which treats a null character as the end of the text.
  if (!json_text::is_json(json)) return Failure<std::string>{"not JSON"};
  return Encoder(json.size()).encode(json);
}

}  // namespace jobs_bridge
