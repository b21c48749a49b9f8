#include "adapters/log/line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace jobs_bridge::logging {
namespace {

using Json = nlohmann::ordered_json;

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
  });
}

std::string dump(const Json& value) {
  // Also escapes what terminals take for commands and what readers take for a line's end.
  constexpr bool ascii_only = true;
  return value.dump(-1, ' ', ascii_only, Json::error_handler_t::replace);
}

std::string quoted(std::string_view text) {
  return dump(Json(text));
}

bool is_sentence(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::string text_line(std::string_view event, std::initializer_list<Log::Field> fields) {
  std::string line = is_sentence(event) ? std::string(event) : quoted(event);
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    line += ' ';
    line += is_plain(name) ? std::string(name) : quoted(name);
    line += '=';
    line += is_plain(value) ? std::string(value) : quoted(value);
  }
  return line;
}

std::string json_members(std::string_view event, std::initializer_list<Log::Field> fields) {
  Json object = {{"event", event}};
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    std::string key(name);
    while (key == "time" || key == "severity" || object.contains(key)) key += '_';
    object[key] = value;
  }
  return dump(object).substr(1);
}

}  // namespace jobs_bridge::logging
