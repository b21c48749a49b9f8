#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/result.h"

/// JSON as text. The bridge moves parts of one JSON text into another byte for byte (a job
/// document's numbers beyond 2^53, its key order and escapes must arrive as they were written), so
/// it needs to know where a member's text begins and ends, which no tree of parsed values can tell.
/// One pass checks the whole text and yields those places.
namespace jobs_bridge::json_text {

/// A member of an object, as it stands in the text.
struct Member {
  std::string_view key;    ///< between the quotes, escapes not resolved
  std::string_view value;  ///< the whole value, without the white space around it

  /// Compares the key with its escapes resolved. `name` is ASCII. Takes no memory and stops at the
  /// first difference, since a hostile payload can hold thousands of keys.
  [[nodiscard]] bool is(std::string_view name) const;
};

/// Where a text stops being JSON.
struct Fault {
  std::size_t offset = 0;  ///< in bytes
  std::string message;
};

/// The members of the JSON object in `text`, in order, repeated keys included. Checks the whole
/// text, nested values too: RFC 8259 grammar and well-formed UTF-8. Nesting is bounded only by the
/// length of the text and uses no stack. Members point into `text`.
Result<std::vector<Member>, Fault> members_of(std::string_view text);

/// The elements of the JSON array in `text`, with the same checks and bounds.
Result<std::vector<std::string_view>, Fault> elements_of(std::string_view text);

/// Whether `text` is one JSON value of any type.
bool is_json(std::string_view text);

/// The last member of that name, or nullptr. (The JSON parsers of the device SDKs and of AWS
/// resolve a repeated key in the same way.) A member whose value is null counts as absent.
const Member* find(const std::vector<Member>& members, std::string_view name);

/// The type of a value that members_of() returned, by its first character.
inline bool is_string(std::string_view value) {
  return value.starts_with('"');
}
inline bool is_object(std::string_view value) {
  return value.starts_with('{');
}
inline bool is_array(std::string_view value) {
  return value.starts_with('[');
}
inline bool is_null(std::string_view value) {
  return value == "null";
}

/// Builds an object from JSON text that is already valid; nothing is escaped or checked.
class ObjectWriter {
 public:
  ObjectWriter() = default;
  /// `expected`: about how many bytes will be written.
  explicit ObjectWriter(std::size_t expected) { text_.reserve(expected); }

  void member(std::string_view key, std::string_view value) {
    name(key);
    text_ += value;
  }
  /// A member whose value is the JSON that the string `value` holds, or the string itself if it
  /// holds no JSON.
  void unwrapped_member(std::string_view key, std::string_view value);

  /// The members that follow belong to an object of its own, until end_object().
  void begin_object(std::string_view key) {
    name(key);
    text_ += '{';
  }
  /// The elements that follow belong to a list, until end_list().
  void begin_list(std::string_view key) {
    name(key);
    text_ += '[';
  }
  /// An object as the next element of the list.
  void begin_object() {
    separate();
    text_ += '{';
  }
  void end_object() { text_ += '}'; }
  /// Ends an object as end_object() does, or removes it together with its name if it has no
  /// members. `start` is the value of length() before the object was begun.
  void end_object_unless_empty(std::size_t start) {
    if (text_.back() == '{') {
      text_.resize(start);
    } else {
      end_object();
    }
  }
  [[nodiscard]] std::size_t length() const { return text_.size(); }
  void end_list() { text_ += ']'; }

  /// Without the braces; empty if there are no members.
  std::string members() && { return std::move(text_); }
  std::string object() && {
    text_.insert(text_.begin(), '{');
    text_ += '}';
    return std::move(text_);
  }

 private:
  void name(std::string_view key) {
    separate();
    ((text_ += '"') += key) += "\":";
  }
  void separate() {
    if (!text_.empty() && text_.back() != '{' && text_.back() != '[') text_ += ',';
  }

  std::string text_;
};

/// The characters that a string value (with its quotes) stands for, in UTF-8. Nothing where it
/// holds half a surrogate pair, which UTF-8 cannot express.
std::optional<std::string> decode_string(std::string_view value);

/// The same for the text between the quotes, such as a key. Allocates nothing if it contains no
/// escape: the result is then `content` itself; otherwise it points into `storage`.
std::optional<std::string_view> decode(std::string_view content, std::string& storage);

/// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string encode_string(std::string_view text);

}  // namespace jobs_bridge::json_text
