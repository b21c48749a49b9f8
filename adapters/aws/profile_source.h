#pragma once

#include <string>

#include "adapters/aws/credential_source.h"

namespace jobs_bridge::aws {

/// A profile in the files that the AWS CLI and the SDKs share: `[name]` in the credentials file,
/// else `[profile name]` in the configuration file. The files are read anew by every fetch. Keys
/// that stand there count; profiles that mean asking somebody else (role_arn, sso_session,
/// credential_process) are refused by name.
class ProfileSource final : public CredentialSource {
 public:
  /// An empty `credentials_file` means AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials; the
  /// configuration file is AWS_CONFIG_FILE, else ~/.aws/config. The profile `default` gives way to
  /// AWS_PROFILE.
  ProfileSource(const std::string& profile, const std::string& credentials_file,
                const Environment& environment);
  [[nodiscard]] std::string name() const override { return "profile " + profile_; }
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  [[nodiscard]] bool can_change() const override { return true; }

  [[nodiscard]] const std::string& credentials_file() const { return credentials_file_; }

 private:
  std::string profile_;
  std::string credentials_file_;
  std::string config_file_;
};

}  // namespace jobs_bridge::aws
