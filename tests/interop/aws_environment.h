#pragma once

#include <string>
#include <vector>

namespace jobs_bridge::testing_support {

/// The command as it behaves on every machine: made-up keys, one attempt a call, and nothing of the
/// user's own environment and files.
inline std::vector<std::string> with_aws_environment(const std::vector<std::string>& command) {
  std::vector<std::string> all = {"env", "-i", "PATH=/usr/bin:/bin", "HOME=/nonexistent",
                                  "LANG=C.UTF-8", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
                                  "AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION=eu-central-1",
                                  "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
                                  "AWS_PAGER=",
                                  // What Python would say of its own and the libraries' age.
                                  "PYTHONWARNINGS=ignore"};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

}  // namespace jobs_bridge::testing_support
