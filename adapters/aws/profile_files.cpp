#include "adapters/aws/profile_files.h"

#include <SimpleIni.h>

#include <algorithm>
#include <optional>

#include "adapters/files/file.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::aws {
namespace {

using IniFile = CSimpleIniCaseA;

/// Far more than real profile files.
constexpr std::size_t max_file = std::size_t{1} << 20U;
constexpr std::string_view blanks = " \t";

/// Which profile a section of the configuration file is; nothing: none, such as `[sso-session x]`.
std::optional<std::string> profile_in_configuration(std::string_view section) {
  constexpr std::string_view word = "profile";
  if (section == "default") return std::string(section);
  if (!section.starts_with(word)) return std::nullopt;
  section.remove_prefix(word.size());
  const auto begin = section.find_first_not_of(blanks);
  if (begin == 0 || begin == std::string_view::npos) return std::nullopt;
  section.remove_prefix(begin);
  section = section.substr(0, section.find_last_not_of(blanks) + 1);
  const char quote = section.front();
  if (quote == '"' || quote == '\'') {
    if (section.size() < 2 || section.back() != quote) return std::nullopt;
    return std::string(section.substr(1, section.size() - 2));
  }
  if (section.find_first_of(blanks) != std::string_view::npos) return std::nullopt;
  return std::string(section);
}

std::optional<std::string> profile_in_credentials(std::string_view section) {
  return std::string(section);
}

/// `any` becomes true if the file is there.
Result<Profiles, std::string> read_profiles(
    const std::string& path, std::optional<std::string> (*profile_in)(std::string_view section),
    bool& any) {
  if (path.empty()) return Profiles();
  const auto content = files::read_file(path, max_file);
  if (!content && content.error().missing) return Profiles();
  if (!content) return Failure{path + ": " + content.error().cause};
  any = true;
  IniFile file;
  if (file.LoadData(*content) < 0) return Failure{path + ": not a file with profiles"};
  IniFile::TNamesDepend sections;
  file.GetAllSections(sections);
  sections.sort(IniFile::Entry::LoadOrder());
  Profiles profiles;
  for (const auto& section : sections) {
    const auto name = profile_in(section.pItem);
    if (!name) continue;
    Profile profile;
    IniFile::TNamesDepend keys;
    file.GetAllKeys(section.pItem, keys);
    for (const auto& key : keys) {
      const char* const value = file.GetValue(section.pItem, key.pItem, "");
      profile[lower_case(key.pItem)] = value == nullptr ? "" : value;
    }
    profiles[*name] = std::move(profile);
  }
  return profiles;
}

}  // namespace

Result<ProfileFiles, std::string> read_profile_files(const std::string& credentials_file,
                                                     const std::string& configuration_file) {
  ProfileFiles files;
  auto credentials = read_profiles(credentials_file, profile_in_credentials, files.any);
  if (!credentials) return Failure{credentials.error()};
  auto configuration = read_profiles(configuration_file, profile_in_configuration, files.any);
  if (!configuration) return Failure{configuration.error()};
  files.credentials = *std::move(credentials);
  files.configuration = *std::move(configuration);
  files.merged = files.configuration;
  for (const auto& [name, profile] : files.credentials) {
    for (const auto& [key, value] : profile) files.merged[name][key] = value;
    files.merged.try_emplace(name);
  }
  return files;
}

std::string value_of(const Profile& profile, const char* key) {
  const auto found = profile.find(key);
  return found == profile.end() ? std::string() : found->second;
}

}  // namespace jobs_bridge::aws
