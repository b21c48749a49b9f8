#include "tests/endpoint/members.h"

#include <charconv>
#include <limits>
#include <utility>

#include "tests/endpoint/names.h"

namespace jobs_endpoint {
namespace {

constexpr std::size_t max_details = 10;
constexpr std::size_t longest_detail = 1024;
constexpr std::size_t longest_quote = 64;
constexpr int deepest_nesting = 100;

bool is_integer(const Json& value) {
  // What does not fit a long is no number to this API, rather than another number.
  return value.is_number_integer() &&
         (!value.is_number_unsigned() ||
          value.get<std::uint64_t>() <=
              static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}
bool is_text(const Json& value) {
  return value.is_string();
}
bool is_number(const Json& value) {
  return value.is_number();
}
bool is_boolean(const Json& value) {
  return value.is_boolean();
}
bool is_array(const Json& value) {
  return value.is_array();
}
bool is_object(const Json& value) {
  return value.is_object();
}

/// A tree's printing and copying recurse, so its depth is a limit of safety.
bool nests_too_deep(const std::string& text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char character = text[at];
    if (in_string) {
      if (character == '\\') ++at;
      if (character == '"') in_string = false;
    } else if (character == '"') {
      in_string = true;
    } else if (character == '{' || character == '[') {
      if (++depth > deepest_nesting) return true;
    } else if (character == '}' || character == ']') {
      --depth;
    }
  }
  return false;
}

ServiceError serialization_error(const std::string& message) {
  return {400, "SerializationException", message};
}

void check_detail(const std::string& path, const std::string& key, const Json& value) {
  if (!is_thing_name(key)) {  // the same pattern and length
    throw constraint_violation(path, key,
                               "Map keys must satisfy constraint: [Member must have length between "
                               "1 and 128 and satisfy regular expression pattern: "
                               "[a-zA-Z0-9:_-]+]");
  }
  if (!value.is_string()) {
    throw constraint_violation(path + "." + key, excerpt(value), "Member must be a string");
  }
  const auto& text = value.get_ref<const std::string&>();
  const std::size_t length = character_count(text);
  if (length == 0 || length > longest_detail) {
    throw constraint_violation(path + "." + key, excerpt(value),
                               "Member must have length between 1 and 1024");
  }
}

}  // namespace

Json parse_json(const std::string& text) {
  Json value =
      nests_too_deep(text) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
  if (value.is_discarded()) throw serialization_error("The request body is not valid JSON.");
  return value;
}

std::string excerpt(const Json& value) {
  if (value.is_structured()) return value.type_name();
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.size() <= longest_quote) return text;
  return text.substr(0, longest_quote) + "...";
}

Members Members::of_body(const std::string& body) {
  if (body.empty()) return {Json::object(), ""};
  Json value = parse_json(body);
  if (!value.is_object()) throw serialization_error("The request body is not a JSON object.");
  return {std::move(value), ""};
}

Members::Members(Json value, std::string path) : value_(std::move(value)), path_(std::move(path)) {
  if (!value_.is_object()) {
    throw constraint_violation(path_, excerpt(value_), "Member must be an object");
  }
}

std::string Members::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

const Json* Members::find(const char* name) const {
  const auto found = value_.find(name);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

const Json* Members::typed(const char* name, bool (*is_type)(const Json&), const char* type) const {
  const Json* value = find(name);
  if (value != nullptr && !is_type(*value)) {
    throw constraint_violation(path_of(name), excerpt(*value),
                               std::string("Member must be ") + type);
  }
  return value;
}

std::optional<std::string> Members::text(const char* name, std::size_t longest) const {
  const Json* value = typed(name, is_text, "a string");
  if (value == nullptr) return std::nullopt;
  const auto& text = value->get_ref<const std::string&>();
  if (character_count(text) > longest) {
    throw constraint_violation(
        path_of(name), excerpt(*value),
        "Member must have length less than or equal to " + std::to_string(longest));
  }
  return text;
}

std::optional<std::int64_t> Members::integer(const char* name) const {
  const Json* value = typed(name, is_integer, "an integer");
  if (value == nullptr) return std::nullopt;
  return value->get<std::int64_t>();
}

std::optional<std::int64_t> Members::integer(const char* name, std::int64_t least,
                                             std::int64_t most) const {
  const std::optional<std::int64_t> value = integer(name);
  if (value && (*value < least || *value > most)) {
    throw constraint_violation(
        path_of(name), std::to_string(*value),
        "Member must have value between " + std::to_string(least) + " and " + std::to_string(most));
  }
  return value;
}

std::optional<double> Members::number(const char* name, double least, double most) const {
  const Json* value = typed(name, is_number, "a number");
  if (value == nullptr) return std::nullopt;
  const auto number = value->get<double>();
  if (number < least || number > most) {
    throw constraint_violation(
        path_of(name), excerpt(*value),
        "Member must have value between " + Json(least).dump() + " and " + Json(most).dump());
  }
  return number;
}

std::optional<bool> Members::boolean(const char* name) const {
  const Json* value = typed(name, is_boolean, "a boolean");
  if (value == nullptr) return std::nullopt;
  return value->get<bool>();
}

std::optional<Members> Members::object(const char* name) const {
  const Json* value = typed(name, is_object, "an object");
  if (value == nullptr) return std::nullopt;
  return Members(*value, path_of(name));
}

const Json* Members::array(const char* name) const {
  return typed(name, is_array, "a list");
}

std::optional<StatusDetails> Members::status_details(const char* name) const {
  const Json* value = typed(name, is_object, "an object");
  if (value == nullptr) return std::nullopt;
  if (value->size() > max_details) {
    throw constraint_violation(path_of(name), std::to_string(value->size()) + " entries",
                               "Member must have at most 10 entries");
  }
  StatusDetails details;
  for (const auto& [key, detail] : value->items()) {
    check_detail(path_of(name), key, detail);
    details.emplace(key, detail.get<std::string>());
  }
  return details;
}

std::optional<bool> boolean_parameter(const std::optional<std::string>& text,
                                      const std::string& name) {
  if (!text) return std::nullopt;
  if (*text == "true") return true;
  if (*text == "false") return false;
  throw constraint_violation(name, *text, "Member must be true or false");
}

std::optional<std::int64_t> integer_parameter(const std::optional<std::string>& text,
                                              const std::string& name) {
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stopped != end) {
    throw constraint_violation(name, *text, "Member must be an integer");
  }
  return value;
}

}  // namespace jobs_endpoint
