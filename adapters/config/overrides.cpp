#include "adapters/config/overrides.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "adapters/config/keys.h"
#include "adapters/config/toml_file.h"
#include "adapters/config/unknown.h"
#include "adapters/config/value_types.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::config {
namespace {

const Key* find_environment_name(std::string_view name) {
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      if (environment_name(key) == name) return &key;
    }
  }
  return nullptr;
}

void add_fault(Reading& reading, const Origin& origin, std::string key, Problem problem) {
  reading.faults.push_back({.source = origin.source,
                            .key = std::move(key),
                            .message = std::move(problem.message),
                            .hint = std::move(problem.hint)});
}

/// Outside a TOML file more spellings than true and false are accepted.
std::string boolean_of(std::string value) {
  for (const char* word : {"true", "yes", "on", "1"}) {
    if (equal_ignoring_case(value, word)) return "true";
  }
  for (const char* word : {"false", "no", "off", "0"}) {
    if (equal_ignoring_case(value, word)) return "false";
  }
  return value;
}

/// What Kubernetes sets in the pods beside a Service called jobs-bridge or jobs-bridge-...
/// (Kubernetes documentation, "Discovering services").
bool is_of_kubernetes(std::string_view name, std::string_view value) {
  constexpr std::string_view port = "_PORT_";
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos) {
    return true;
  }
  if (name.ends_with("_PORT") && value.find("://") != std::string_view::npos) return true;
  const auto at = name.find(port);
  if (at == std::string_view::npos) return false;
  name.remove_prefix(at + port.size());
  const auto digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return false;
  name.remove_prefix(digits);
  return name.starts_with("_TCP") || name.starts_with("_UDP") || name.starts_with("_SCTP");
}

void add(Reading& reading, const Key& key, std::string value, Origin origin) {
  const auto& known = reading.settings;
  if (std::any_of(known.begin(), known.end(),
                  [&](const Setting& setting) { return setting.key == &key; })) {
    add_fault(reading, origin, key.path,
              {.message = "is given more than once", .hint = "give it only once"});
    return;
  }
  if (key.type.kind == ValueKind::boolean) value = boolean_of(std::move(value));
  const bool is_string = key.type.kind == ValueKind::text || is_list(key.type.kind);
  if (is_string && (value.starts_with('"') || value.starts_with('\''))) {
    auto unquoted = unquote_toml(value);
    if (!unquoted) {
      add_fault(reading, origin, key.path,
                {.message = "starts with a quote, but is not a valid TOML string",
                 .hint = "remove the quotes"});
      return;
    }
    value = std::move(*unquoted);
  }
  auto strings = is_list(key.type.kind) ? strings_in_toml(value) : std::nullopt;
  auto setting = setting_in_one_piece(key, strings ? std::string() : value, std::move(origin));
  // As in the file.
  for (auto& string : strings.value_or(std::vector<std::string>())) {
    setting.elements.push_back({.value = std::move(string)});
  }
  reading.settings.push_back(std::move(setting));
}

}  // namespace

Reading read_sets(const std::vector<std::string>& sets) {
  Reading reading;
  for (const auto& set : sets) {
    const Origin origin{.layer = Layer::command_line, .source = "--set", .line = 0};
    const auto equals = set.find('=');
    if (equals == std::string::npos) {
      // Not quoted: it may be a secret without its key.
      add_fault(reading, origin, {},
                {.message = "an argument has no '='",
                 .hint = "expected section.key=value, such as log.level=debug"});
      continue;
    }
    const auto path = set.substr(0, equals);
    if (const Key* const key = find_key(path)) {
      add(reading, *key, set.substr(equals + 1), origin);
    } else {
      add_fault(reading, origin, path, unknown_path(path));
    }
  }
  return reading;
}

Reading read_environment(const std::vector<std::string>& environment) {
  Reading reading;
  for (const auto& variable : environment) {
    if (!variable.starts_with("JOBS_BRIDGE_")) continue;
    const auto equals = std::min(variable.find('='), variable.size());
    const auto name = variable.substr(0, equals);
    const Origin origin{.layer = Layer::environment, .source = "environment " + name, .line = 0};
    if (const Key* const key = find_environment_name(name)) {
      add(reading, *key, variable.substr(std::min(equals + 1, variable.size())), origin);
    } else if (!is_of_kubernetes(name, std::string_view(variable).substr(
                                           std::min(equals + 1, variable.size())))) {
      add_fault(reading, origin, {}, unknown_environment_name(name));
    }
  }
  return reading;
}

}  // namespace jobs_bridge::config
