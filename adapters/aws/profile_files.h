#pragma once

#include <map>
#include <string>
#include <string_view>

#include "bridge/result.h"

namespace jobs_bridge::aws {

/// The keys of a profile, in small letters, and their values.
using Profile = std::map<std::string, std::string>;
using Profiles = std::map<std::string, Profile>;

/// The files that the AWS CLI and the SDKs share, in botocore's reading of them: a profile is
/// called `[name]` in the credentials file; in the configuration file `[profile name]`, with the
/// name in quotes if it contains a space, or `[default]`. Keys are case-insensitive.
struct ProfileFiles {
  Profiles credentials;
  Profiles configuration;
  /// The profiles of both files; where both have a key, the credentials file takes precedence.
  Profiles merged;
  bool any = false;  ///< whether at least one of the files exists
};

/// Reads both; an empty path or a missing file has no profiles. The error names the file.
Result<ProfileFiles, std::string> read_profile_files(const std::string& credentials_file,
                                                     const std::string& configuration_file);

/// The value of a key; empty if it is not there.
std::string value_of(const Profile& profile, const char* key);

}  // namespace jobs_bridge::aws
