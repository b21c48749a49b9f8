#include "adapters/config/unknown.h"

#include <string>
#include <vector>

#include "adapters/config/keys.h"
#include "adapters/config/nearest.h"

namespace jobs_bridge::config {
namespace {

std::string did_you_mean(std::string_view name) {
  return std::string("did you mean ").append(name).append("?");
}

std::string join(const std::vector<std::string_view>& names) {
  std::string text;
  for (const auto name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

std::vector<std::string_view> names_of(const Section& section) {
  std::vector<std::string_view> names;
  for (const auto& key : section.keys) names.push_back(key.name);
  return names;
}

std::vector<std::string_view> names_of_sections() {
  std::vector<std::string_view> names;
  for (const auto& section : sections()) names.push_back(section.name);
  return names;
}

/// The sections that have a key of this name.
std::string sections_with(std::string_view key) {
  std::string text;
  for (const auto& section : sections()) {
    if (find_key(section.name, key) == nullptr) continue;
    text.append(text.empty() ? "[" : " or [").append(section.name).append("]");
  }
  return text;
}

}  // namespace

Problem unknown_section(std::string_view name) {
  const auto names = names_of_sections();
  if (const auto owners = sections_with(name); !owners.empty()) {
    return {.message = "is a key outside its section", .hint = "it belongs in " + owners};
  }
  const auto meant = nearest(name, names);
  return {.message = "unknown section",
          .hint = meant ? did_you_mean(std::string("[").append(*meant).append("]"))
                        : "the sections are " + join(names)};
}

Problem unknown_key(const Section& section, std::string_view name) {
  const auto names = names_of(section);
  std::string hint = "the keys of this section are " + join(names);
  if (const auto meant = nearest(name, names)) {
    hint = did_you_mean(std::string(section.name).append(".").append(*meant));
  } else if (const auto owners = sections_with(name); !owners.empty()) {
    hint = "it belongs in " + owners;
  }
  return {.message = "unknown key", .hint = hint};
}

Problem unknown_path(std::string_view path) {
  std::vector<std::string_view> paths;
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) paths.emplace_back(key.path);
  }
  if (const auto meant = nearest(path, paths)) {
    return {.message = "unknown key", .hint = did_you_mean(*meant)};
  }
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    return {.message = "unknown key", .hint = "expected section.key, such as log.level"};
  }
  const Section* const section = find_section(path.substr(0, dot));
  return section == nullptr ? unknown_section(path.substr(0, dot))
                            : unknown_key(*section, path.substr(dot + 1));
}

std::vector<std::string> meant_keys(std::string_view path) {
  std::vector<std::string> keys;
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    if (find_section(path) != nullptr) return keys;
    const auto meant = nearest(path, names_of_sections());
    if (!meant) return keys;
    for (const auto& key : find_section(*meant)->keys) keys.emplace_back(key.path);
    return keys;
  }
  const auto* const section = find_section(path.substr(0, dot));
  if (section == nullptr) return keys;
  if (const auto meant = nearest(path.substr(dot + 1), names_of(*section))) {
    keys.push_back(std::string(section->name).append(".").append(*meant));
  }
  return keys;
}

Problem unknown_environment_name(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) known.push_back(environment_name(key));
  }
  // The common prefix would make all names look similar.
  constexpr std::string_view prefix = "JOBS_BRIDGE_";
  std::vector<std::string_view> candidates;
  for (const auto& candidate : known) {
    candidates.push_back(std::string_view(candidate).substr(prefix.size()));
  }
  const auto meant = nearest(name.substr(prefix.size()), candidates);
  return {.message = "names an unknown key",
          .hint = meant ? did_you_mean(std::string(prefix).append(*meant))
                        : "expected JOBS_BRIDGE_SECTION_KEY, such as JOBS_BRIDGE_LOG_LEVEL"};
}

}  // namespace jobs_bridge::config
