#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/aws/credential_source.h"
#include "adapters/aws/http_query.h"
#include "adapters/aws/wall_clock.h"
#include "bridge/ports/origin.h"

namespace jobs_bridge::aws {

/// A role to assume.
struct Role {
  std::string arn = {};
  std::string session_name = {};  ///< empty: one made of the program's name and the time
  std::string external_id = {};   ///< empty: none
  std::string duration = {};      ///< in seconds; empty: the default of STS
};

/// AWS Security Token Service, which issues credentials of roles (API version 2011-06-15,
/// "AssumeRole" and "AssumeRoleWithWebIdentity"). Calls by one thread, stop() by any.
class Sts {
 public:
  struct Settings {
    Origin service;
    std::string region;
  };
  Sts(Settings settings, OpenOrigin open, WallClock clock)
      : settings_(std::move(settings)), clock_(std::move(clock)), query_(std::move(open)) {}

  /// The credentials of the role for a caller with the `source` credentials.
  Result<Credentials, SourceFault> assume(const Role& role, const Credentials& source,
                                          MonotonicTime deadline);
  /// The credentials of the role for a caller with a web identity token, in a file that every call
  /// reads anew.
  Result<Credentials, SourceFault> assume_with_web_identity(const Role& role,
                                                            const std::string& token_file,
                                                            MonotonicTime deadline);
  void stop() { query_.stop(); }

 private:
  Result<Credentials, SourceFault> ask(const std::string& form, const Role& role,
                                       const Credentials* source, std::string_view secret,
                                       MonotonicTime deadline);
  [[nodiscard]] std::string form_of(const char* action, const Role& role) const;

  const Settings settings_;
  const WallClock clock_;
  HttpQuery query_;
};

}  // namespace jobs_bridge::aws
