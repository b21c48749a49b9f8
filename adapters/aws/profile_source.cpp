#include "adapters/aws/profile_source.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "adapters/aws/usable.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::aws {
namespace {

/// Longer than any realistic chain of roles.
constexpr std::size_t max_roles = 16;

std::optional<std::string> profile_of(const Environment& environment) {
  auto name = environment("AWS_DEFAULT_PROFILE");
  return name ? name : environment("AWS_PROFILE");
}

/// The path of a file that the environment names, with the home directory in place of `~`.
std::string file_of(std::optional<std::string> given, const Environment& environment,
                    const char* usual) {
  const auto home = environment("HOME");
  if (!given) return home ? *home + "/.aws/" + usual : std::string();
  return home && given->starts_with("~/") ? *home + given->substr(1) : *given;
}

bool has_keys(const Profile& profile) {
  return profile.contains("aws_access_key_id") || profile.contains("aws_secret_access_key");
}

bool names_role(const Profile& profile) {
  return profile.contains("role_arn") && !profile.contains("web_identity_token_file");
}

const Profile* find(const Profiles& profiles, const std::string& name) {
  const auto found = profiles.find(name);
  return found == profiles.end() ? nullptr : &found->second;
}

/// The key of this profile that we do not support.
std::optional<std::string> unsupported_in(const Profile& profile) {
  for (const char* key : {"sso_session", "sso_start_url", "login_session", "credential_process",
                          "credential_source"}) {
    if (!value_of(profile, key).empty()) return key;
  }
  return std::nullopt;
}

Role role_of(const Profile& profile) {
  Role role{.arn = value_of(profile, "role_arn"),
            .session_name = value_of(profile, "role_session_name"),
            .external_id = value_of(profile, "external_id"),
            .duration = value_of(profile, "duration_seconds")};
  // botocore ignores a value that is not a number.
  if (!parse_number<unsigned>(role.duration)) role.duration.clear();
  return role;
}

Failure<SourceFault> fault(std::string cause) {
  return {SourceFault{.cause = std::move(cause)}};
}

Result<Credentials, SourceFault> keys_in(const Profile& profile, const std::string& where) {
  Credentials credentials;
  credentials.access_key_id = value_of(profile, "aws_access_key_id");
  credentials.secret_access_key = value_of(profile, "aws_secret_access_key");
  credentials.session_token = value_of(
      profile, profile.contains("aws_security_token") ? "aws_security_token" : "aws_session_token");
  return check_usable(std::move(credentials), where);
}

}  // namespace

ProfileSource::ProfileSource(const std::string& profile, const std::string& credentials_file,
                             const Environment& environment, std::unique_ptr<Sts> sts, Part part)
    : profile_(profile == "default" ? profile_of(environment).value_or(profile) : profile),
      credentials_file_(
          credentials_file.empty()
              ? file_of(environment("AWS_SHARED_CREDENTIALS_FILE"), environment, "credentials")
              : credentials_file),
      config_file_(file_of(environment("AWS_CONFIG_FILE"), environment, "config")),
      sts_(std::move(sts)),
      part_(part) {}

std::string ProfileSource::places() const {
  const bool both = !credentials_file_.empty() && !config_file_.empty();
  return credentials_file_ + (both ? " or " : "") + config_file_;
}

bool ProfileSource::is_there() {
  const auto files = read_profile_files(credentials_file_, config_file_);
  if (!files) return false;
  const auto* const profile = find(files->merged, profile_);
  if (profile == nullptr) return false;
  if (names_role(*profile)) return part_ != Part::rest;
  return part_ != Part::role && (profile->contains("web_identity_token_file") ||
                                 (!value_of(*profile, "aws_access_key_id").empty() &&
                                  !value_of(*profile, "aws_secret_access_key").empty()));
}

Result<Credentials, SourceFault> ProfileSource::fetch(MonotonicTime deadline) {
  const auto files = read_profile_files(credentials_file_, config_file_);
  if (!files) return fault(files.error());
  const auto* const profile = find(files->merged, profile_);
  if (profile != nullptr && names_role(*profile)) {
    if (part_ != Part::rest) return assume_role(*files, deadline);
  } else if (part_ != Part::role) {
    return all_but_role(*files, profile_, deadline);
  }
  return Failure{SourceFault{
      .absent = true, .cause = profile != nullptr ? "it names no role" : "it does not exist"}};
}

/// From one profile to its source, until one is reached that has credentials; then back, a role
/// each.
Result<Credentials, SourceFault> ProfileSource::assume_role(const ProfileFiles& files,
                                                            MonotonicTime deadline) {
  std::vector<Role> roles;
  std::vector<std::string> visited;
  auto name = profile_;
  const auto* profile = find(files.merged, name);
  bool itself = false;  // whether the source is the profile itself, for its keys
  while (names_role(*profile) && !itself && (roles.empty() || !has_keys(*profile))) {
    const auto where = "profile " + name + ": ";
    visited.push_back(name);
    if (visited.size() > max_roles) return fault(where + "the chain of source_profile is too long");
    for (const char* key : {"credential_source", "mfa_serial"}) {
      if (!value_of(*profile, key).empty()) return fault(where + key + " is not supported");
    }
    const auto source = value_of(*profile, "source_profile");
    if (source.empty()) {
      return fault(where +
                   "role_arn is set, but source_profile, which names the keys to use, is not");
    }
    roles.push_back(role_of(*profile));
    profile = find(files.merged, source);
    if (profile == nullptr) {
      return fault(where + "its source_profile " + source + " does not exist in " + places());
    }
    itself = source == name && has_keys(*profile);
    if (!itself && std::ranges::find(visited, source) != visited.end()) {
      return fault(where + "its source_profile " + source + " leads back to it");
    }
    name = source;
  }
  auto credentials = all_but_role(files, name, deadline);
  if (!credentials) return fault(credentials.error().cause);
  for (auto role = roles.rbegin(); role != roles.rend(); ++role) {
    credentials = sts_->assume(*role, *credentials, deadline);
    if (!credentials) return fault("profile " + profile_ + ": " + credentials.error().cause);
  }
  return credentials;
}

Result<Credentials, SourceFault> ProfileSource::all_but_role(const ProfileFiles& files,
                                                             const std::string& name,
                                                             MonotonicTime deadline) {
  if (const auto* const profile = find(files.merged, name)) {
    const auto token_file = value_of(*profile, "web_identity_token_file");
    const auto role = role_of(*profile);
    if (!token_file.empty() && role.arn.empty()) {
      return fault("profile " + name + ": web_identity_token_file is set, but role_arn is not");
    }
    if (!token_file.empty()) {
      auto credentials = sts_->assume_with_web_identity(role, token_file, deadline);
      if (!credentials) return fault("profile " + name + ": " + credentials.error().cause);
      return credentials;
    }
    const std::pair<const Profiles*, const std::string*> places_of_keys[] = {
        {&files.credentials, &credentials_file_}, {&files.configuration, &config_file_}};
    for (const auto& [profiles, path] : places_of_keys) {
      const auto* const there = find(*profiles, name);
      if (there != nullptr && has_keys(*there)) {
        return keys_in(*there, *path + ", profile " + name);
      }
    }
    if (const auto key = unsupported_in(*profile)) {
      return fault("profile " + name + ": " + *key +
                   " is not supported: use aws_access_key_id and aws_secret_access_key, or "
                   "role_arn with source_profile");
    }
  }
  if (places().empty()) {
    return Failure{SourceFault{.absent = true, .cause = "HOME is not set, and no file is named"}};
  }
  return Failure{SourceFault{.absent = true,
                             .cause = files.any ? "no keys for profile " + name + " in " + places()
                                                : "there is no file " + places()}};
}

}  // namespace jobs_bridge::aws
