#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {

/// jobs-bridge as a process, run as an operator runs it: with a configuration file. The words in
/// the environment's WRAP_BRIDGE come before its command line, to run it under valgrind or perf.
class BridgeProcess {
 public:
  enum class Wait {
    until_ready,
    until_subscribed,  ///< for a bridge that never gets ready
    not_at_all
  };

  /// `settings` are `section.key=value`, the value as it stands; of two for one key the later
  /// counts. Unless they say otherwise requests are not signed and the log says everything. Throws
  /// std::runtime_error if it does not get ready.
  explicit BridgeProcess(const std::vector<std::string>& settings, Wait wait = Wait::until_ready,
                         const Process::Environment& environment = {});

  [[nodiscard]] std::string log() const { return process_.output(); }
  [[nodiscard]] Process& process() { return process_; }
  /// Waits until it says that it is ready, as /readyz judges it. It does so after every connection
  /// to the broker; lines before byte `from` of the log do not count.
  bool wait_until_ready(std::size_t from = 0, std::chrono::milliseconds limit = wait_limit);

  /// Waits until the broker has granted its subscriptions, whether or not requests can be served.
  bool wait_until_subscribed();

  /// Of its admin listener, without a path; waits until it listens. Empty if it does not.
  [[nodiscard]] std::string admin_url() const;

  /// SIGTERM; the exit status, or nothing if it does not end.
  std::optional<int> stop();

 private:
  TemporaryDirectory directory_;
  Process process_;
};

}  // namespace jobs_bridge::testing_support
