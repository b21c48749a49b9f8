#include "bridge/jobs/json_text.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "bridge/text/hex.h"

namespace jobs_bridge::json_text {
namespace {

/// How many of these eight bytes, from the first on, stand for themselves in a string: none of them
/// is a quote, a backslash, a control character, or part of a character beyond ASCII.
std::size_t plain_bytes(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high_bits = 0x80 * ones;
  // A byte below n borrows from its high bit when n is taken away. Of eight such marks the lowest
  // is always right; those above it may stem from its borrowing.
  const auto marks_below = [](std::uint64_t word, std::uint64_t n) {
    return (word - n * ones) & ~word & high_bits;
  };
  const auto marks = (bytes & high_bits) | marks_below(bytes, 0x20) |
                     marks_below(bytes ^ ('"' * ones), 1) | marks_below(bytes ^ ('\\' * ones), 1);
  if (marks == 0) return sizeof bytes;
  // Where the first byte is not the lowest, the bytes before a mark are looked at one by one.
  if constexpr (std::endian::native != std::endian::little) return 0;
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}

/// Moves over a JSON text. Every step either advances past what it names or fails; the position
/// then tells where.
class Scanner {
 public:
  explicit Scanner(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  [[nodiscard]] const char* position() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] Fault fault() const {
    return {static_cast<std::size_t>(at_ - begin_), message_ != nullptr ? message_ : "not JSON"};
  }

  void white_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool fail(const char* message) {
    message_ = message;
    return false;
  }

  /// A string with its quotes.
  bool string() {
    if (!take('"')) return fail("expected a string");
    while (at_ != end_) {
      plain_words();
      if (at_ == end_) break;
      const auto byte = static_cast<unsigned char>(*at_);
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (byte == '\\') {
        if (!escape()) return false;
      } else if (byte < 0x20) {
        return fail("control character in a string");
      } else if (byte < 0x80) {
        ++at_;
      } else if (!multibyte()) {
        return false;
      }
    }
    return fail("unterminated string");
  }

  /// A key with its colon; returns what stands between the quotes.
  bool key(std::string_view& text) {
    const char* start = at_;
    if (!string()) return false;
    text = std::string_view(start + 1, static_cast<std::size_t>(at_ - start) - 2);
    white_space();
    return take(':') || fail("expected ':'");
  }

  /// One value of any type. Iterative: what is open is kept in a vector, not on the stack.
  bool value() {
    open_.clear();
    while (true) {
      white_space();
      if (take('{')) {
        white_space();
        if (!take('}')) {
          open_.push_back('}');
          std::string_view ignored;
          if (!key(ignored)) return false;
          continue;
        }
      } else if (take('[')) {
        white_space();
        if (!take(']')) {
          open_.push_back(']');
          continue;
        }
      } else if (!scalar()) {
        return false;
      }
      if (!close_or_continue()) return message_ == nullptr;
    }
  }

 private:
  /// Skips characters that need no decoding, eight bytes at a time, as far as possible: most of the
  /// text is strings, and job documents are long.
  void plain_words() {
    std::uint64_t word = 0;
    while (static_cast<std::size_t>(end_ - at_) >= sizeof word) {
      std::memcpy(&word, at_, sizeof word);
      const auto plain = plain_bytes(word);
      at_ += plain;
      if (plain < sizeof word) return;
    }
  }

  /// Behind a value: closes what ends here. True if another value follows, false if the outermost
  /// value is complete or (with a message) on a fault.
  bool close_or_continue() {
    while (!open_.empty()) {
      white_space();
      if (take(',')) {
        if (open_.back() == ']') return true;
        white_space();
        std::string_view ignored;
        return key(ignored);
      }
      if (!take(open_.back())) {
        return fail(open_.back() == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
      }
      open_.pop_back();
    }
    return false;
  }

  bool scalar() {
    if (at_ == end_) return fail("expected a value");
    switch (*at_) {
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(expected)) {
      return fail("expected a value");
    }
    at_ += expected.size();
    return true;
  }

  bool digits() {
    const char* start = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != start || fail("expected a digit");
  }

  bool number() {
    const char* start = at_;
    take('-');
    if (take('0')) {
      // No digit may follow a leading zero; what does follow is checked as the next token.
    } else if (!digits()) {
      return fail(at_ == start ? "expected a value" : "expected a digit");
    }
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool escape() {
    ++at_;
    if (at_ == end_) return fail("unterminated string");
    if (take('u')) {
      for (int i = 0; i < 4; ++i) {
        if (at_ == end_ || hex_digit_value(*at_) < 0) {
          return fail("expected four hexadecimal digits");
        }
        ++at_;
      }
      return true;
    }
    if (std::string_view("\"\\/bfnrt").find(*at_) == std::string_view::npos) {
      return fail("unknown escape");
    }
    ++at_;
    return true;
  }

  /// One well-formed UTF-8 sequence of two to four bytes (Unicode standard, table 3-7).
  bool multibyte() {
    const auto lead = static_cast<unsigned char>(*at_);
    std::ptrdiff_t following = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      following = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      following = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      following = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return fail("not UTF-8");
    }
    if (end_ - at_ <= following) return fail("not UTF-8");
    for (std::ptrdiff_t i = 1; i <= following; ++i) {
      const auto byte = static_cast<unsigned char>(at_[i]);
      if (byte < low || byte > high) return fail("not UTF-8");
      low = 0x80;
      high = 0xBF;
    }
    at_ += following + 1;
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* message_ = nullptr;
  std::vector<char> open_;  ///< the closing brackets that are due, innermost last
};

bool value_span(Scanner& scanner, std::string_view& span) {
  scanner.white_space();
  const char* start = scanner.position();
  if (!scanner.value()) return false;
  span = {start, static_cast<std::size_t>(scanner.position() - start)};
  return true;
}

bool object_members(Scanner& scanner, std::vector<Member>& members) {
  scanner.white_space();
  if (!scanner.take('{')) return scanner.fail("expected an object");
  scanner.white_space();
  if (scanner.take('}')) return true;
  constexpr std::size_t usual = 8;
  members.reserve(usual);
  do {
    scanner.white_space();
    Member member;
    if (!scanner.key(member.key)) return false;
    if (!value_span(scanner, member.value)) return false;
    members.push_back(member);
    scanner.white_space();
  } while (scanner.take(','));
  return scanner.take('}') || scanner.fail("expected ',' or '}'");
}

bool array_elements(Scanner& scanner, std::vector<std::string_view>& elements) {
  scanner.white_space();
  if (!scanner.take('[')) return scanner.fail("expected an array");
  scanner.white_space();
  if (scanner.take(']')) return true;
  do {
    std::string_view element;
    if (!value_span(scanner, element)) return false;
    elements.push_back(element);
    scanner.white_space();
  } while (scanner.take(','));
  return scanner.take(']') || scanner.fail("expected ',' or ']'");
}

bool only_white_space_left(Scanner& scanner) {
  scanner.white_space();
  return scanner.at_end() || scanner.fail("text after the end of the value");
}

}  // namespace

Result<std::vector<Member>, Fault> members_of(std::string_view text) {
  Scanner scanner(text);
  std::vector<Member> members;
  if (!object_members(scanner, members) || !only_white_space_left(scanner)) {
    return Failure{scanner.fault()};
  }
  return members;
}

Result<std::vector<std::string_view>, Fault> elements_of(std::string_view text) {
  Scanner scanner(text);
  std::vector<std::string_view> elements;
  if (!array_elements(scanner, elements) || !only_white_space_left(scanner)) {
    return Failure{scanner.fault()};
  }
  return elements;
}

bool is_json(std::string_view text) {
  Scanner scanner(text);
  return scanner.value() && only_white_space_left(scanner);
}

const Member* find(const std::vector<Member>& members, std::string_view name) {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->is(name)) return is_null(member->value) ? nullptr : &*member;
  }
  return nullptr;
}

}  // namespace jobs_bridge::json_text
