#include "adapters/aws/profile_source.h"

#include <SimpleIni.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include "adapters/aws/usable.h"

namespace jobs_bridge::aws {
namespace {

using IniFile = CSimpleIniCaseA;

/// Far more than anybody's profiles take.
constexpr std::size_t largest_file = std::size_t{1} << 20U;

struct FileContent {
  bool exists = false;
  std::string text;
  std::string fault;  ///< why it cannot be read; empty: it can
};

FileContent read_file(const std::string& path) {
  FileContent content;
  std::FILE* const file = path.empty() ? nullptr : std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    const int error = path.empty() ? ENOENT : errno;
    content.exists = error != ENOENT && error != ENOTDIR;
    if (content.exists) content.fault = std::generic_category().message(error);
    return content;
  }
  content.exists = true;
  std::array<char, 4096> block;
  while (content.text.size() <= largest_file) {
    const auto count = std::fread(block.data(), 1, block.size(), file);
    content.text.append(block.data(), count);
    if (count < block.size()) break;
  }
  if (std::ferror(file) != 0) content.fault = std::generic_category().message(errno);
  if (content.text.size() > largest_file) content.fault = "larger than 1 MiB";
  std::fclose(file);
  return content;
}

std::string value_of(const IniFile& file, const std::string& section, const char* key) {
  const char* const value = file.GetValue(section.c_str(), key, "");
  return value == nullptr ? std::string() : std::string(value);
}

/// What this profile wants done that we do not do.
std::optional<std::string> unsupported_in(const IniFile& file, const std::string& section) {
  for (const char* key : {"role_arn", "sso_session", "sso_start_url", "credential_process",
                          "web_identity_token_file", "credential_source", "source_profile"}) {
    if (!value_of(file, section, key).empty()) return key;
  }
  return std::nullopt;
}

std::string home_file(const Environment& environment, const char* name) {
  const auto home = environment("HOME");
  return home ? *home + "/.aws/" + name : std::string();
}

std::string or_home(std::optional<std::string> given, const Environment& environment,
                    const char* name) {
  return given ? *std::move(given) : home_file(environment, name);
}

}  // namespace

ProfileSource::ProfileSource(const std::string& profile, const std::string& credentials_file,
                             const Environment& environment)
    : profile_(profile == "default" ? environment("AWS_PROFILE").value_or(profile) : profile),
      credentials_file_(
          credentials_file.empty()
              ? or_home(environment("AWS_SHARED_CREDENTIALS_FILE"), environment, "credentials")
              : credentials_file),
      config_file_(or_home(environment("AWS_CONFIG_FILE"), environment, "config")) {}

Result<Credentials, SourceFault> ProfileSource::fetch(MonotonicTime) {
  const std::pair<const std::string*, std::string> places[] = {
      {&credentials_file_, profile_},
      // Only this file calls them so, and not the default one.
      {&config_file_, profile_ == "default" ? profile_ : "profile " + profile_}};
  std::string searched;
  bool any_file = false;
  for (const auto& [path, section] : places) {
    if (path->empty()) continue;
    searched += (searched.empty() ? "" : " or ") + *path;
    const auto content = read_file(*path);
    any_file = any_file || content.exists;
    if (!content.fault.empty()) {
      return Failure{SourceFault{.cause = *path + ": " + content.fault}};
    }
    IniFile file;
    if (file.LoadData(content.text) < 0) {
      return Failure{SourceFault{.cause = *path + ": not a file of profiles"}};
    }
    if (!file.SectionExists(section.c_str())) continue;
    const auto in = *path + " [" + section + "]";
    Credentials credentials;
    credentials.access_key_id = value_of(file, section, "aws_access_key_id");
    credentials.secret_access_key = value_of(file, section, "aws_secret_access_key");
    credentials.session_token = value_of(file, section, "aws_session_token");
    if (!credentials.access_key_id.empty() || !credentials.secret_access_key.empty()) {
      return check_usable(std::move(credentials), in);
    }
    if (const auto key = unsupported_in(file, section)) {
      return Failure{SourceFault{.cause = in + ": " + *key +
                                          " is not supported: a profile with aws_access_key_id "
                                          "and aws_secret_access_key is"}};
    }
  }
  if (searched.empty()) {
    return Failure{SourceFault{.absent = true, .cause = "HOME is not set, and no file is named"}};
  }
  return Failure{SourceFault{.absent = true,
                             .cause = any_file
                                          ? "no keys for profile " + profile_ + " in " + searched
                                          : "there is no file " + searched}};
}

}  // namespace jobs_bridge::aws
