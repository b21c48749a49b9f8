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
  /// There is nothing of this kind here, so a chain looks further; otherwise something is wrong
  /// with what is here.
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

  /// Looks for credentials now, however new the last ones are. Blocks until `deadline` at most;
  /// does not throw.
  virtual Result<Credentials, SourceFault> fetch(MonotonicTime deadline) = 0;

  /// Whether credentials without an end may change behind our back, as those in files do.
  [[nodiscard]] virtual bool can_change() const { return false; }

  /// Whether there is something of this kind here, so that fetch() would not find it absent; sees
  /// files and variables only, and asks nobody. Called by the thread that fetches.
  virtual bool is_there() { return false; }

  /// Whether it would now begin with another source than the one that its credentials came from;
  /// as cheap as is_there(), and called likewise.
  virtual bool has_returned() { return false; }

  /// Ends a fetch in progress, and every later one, at once.
  virtual void stop() {}
};

/// The environment of the process: the value of a variable, nothing if it is unset or empty.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// What the process was started with.
std::optional<std::string> process_environment(const std::string& name);

}  // namespace jobs_bridge::aws
