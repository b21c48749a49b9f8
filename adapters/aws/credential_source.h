#pragma once

#include <functional>
#include <optional>
#include <string>

#include "adapters/aws/credentials.h"
#include "bridge/result.h"
#include "bridge/time.h"

namespace jobs_bridge::aws {

/// Why there are no credentials.
struct SourceFault {
  /// This source is not configured here, so a chain tries the next one; otherwise it is configured
  /// but does not work.
  bool absent = false;
  /// For the operator: names the variable, file or server and what is wrong; never a secret.
  std::string cause;
};

/// Where credentials come from. fetch() is called by one thread; stop() by any.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  /// For logs and health: "the environment", "profile gateway", ...
  [[nodiscard]] virtual std::string name() const = 0;

  /// Fetches credentials now, however recent the last ones are. Blocks until `deadline` at most;
  /// does not throw.
  virtual Result<Credentials, SourceFault> fetch(MonotonicTime deadline) = 0;

  /// Whether credentials without an expiry may change unnoticed, as those in files do.
  [[nodiscard]] virtual bool can_change() const { return false; }

  /// Whether this source is configured here, so that fetch() would not report it absent; checks
  /// files and variables only, and sends nothing. Called by the thread that fetches.
  virtual bool is_there() { return false; }

  /// Whether fetch() would now begin with another source than the one that the credentials came
  /// from. As cheap as is_there(), and called by the same thread.
  virtual bool has_returned() { return false; }

  /// Ends a fetch in progress, and every later one, at once.
  virtual void stop() {}
};

/// The environment of the process: the value of a variable, nothing if it is unset or empty.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The environment that the process was started with.
std::optional<std::string> process_environment(const std::string& name);

}  // namespace jobs_bridge::aws
