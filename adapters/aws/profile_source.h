#pragma once

#include <memory>
#include <string>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/profile_files.h"
#include "adapters/aws/sts.h"

namespace jobs_bridge::aws {

/// A profile in the files that the AWS CLI and the SDKs share; see ProfileFiles. The files are read
/// anew by every fetch. A profile has keys, or names a role for which another profile has them, or
/// for which there is a web identity token; one that relies on other services or programs
/// (sso_session, credential_process and the like) is refused, and the error names the key.
class ProfileSource final : public CredentialSource {
 public:
  /// botocore asks a profile that names a role (role_arn, without a web identity token) before a
  /// web identity of the environment, and for everything else after it.
  enum class Part { role, rest, all };

  /// An empty `credentials_file` means AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials; the
  /// configuration file is AWS_CONFIG_FILE, else ~/.aws/config. The profile `default` is replaced
  /// by AWS_DEFAULT_PROFILE, else AWS_PROFILE, if set.
  ProfileSource(const std::string& profile, const std::string& credentials_file,
                const Environment& environment, std::unique_ptr<Sts> sts, Part part = Part::all);
  [[nodiscard]] std::string name() const override { return "profile " + profile_; }
  Result<Credentials, SourceFault> fetch(MonotonicTime deadline) override;
  bool is_there() override;
  [[nodiscard]] bool can_change() const override { return true; }
  void stop() override { sts_->stop(); }

  [[nodiscard]] const std::string& credentials_file() const { return credentials_file_; }

 private:
  using Outcome = Result<Credentials, SourceFault>;
  Outcome assume_role(const ProfileFiles& files, MonotonicTime deadline);
  Outcome all_but_role(const ProfileFiles& files, const std::string& profile,
                       MonotonicTime deadline);
  [[nodiscard]] std::string places() const;

  std::string profile_;
  std::string credentials_file_;
  std::string config_file_;
  const std::unique_ptr<Sts> sts_;
  const Part part_;
};

}  // namespace jobs_bridge::aws
