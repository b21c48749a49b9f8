#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/process.h"

namespace jobs_bridge::testing_support {

/// The Jobs endpoint emulator as a process, and the calls that tests make to it themselves. Throws
/// std::runtime_error when it does not start or refuses a call.
class JobsEndpoint {
 public:
  struct Options {
    std::optional<CertificateFiles> tls = {};
    /// Not empty: clients must show a certificate of this authority. The tests' own calls show
    /// `client`, which has to be one.
    std::string client_ca_file = {};
    CertificateFiles client = {};
    /// Further ones, such as "--envelope".
    std::vector<std::string> arguments = {};
  };
  /// Returns when it accepts connections.
  JobsEndpoint() : JobsEndpoint(Options{}) {}
  explicit JobsEndpoint(Options options);

  /// http:// or https://localhost, with the port.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] unsigned short port() const { return port_; }
  [[nodiscard]] std::string log() const { return process_->output(); }
  [[nodiscard]] Process& process() { return *process_; }

  /// CreateJob for these things. An execution that fails is followed by another, so many times.
  void create_job(const std::string& job, const std::vector<std::string>& things,
                  const std::string& document = "{}", int retries = 0);
  /// One fault or a list of them.
  void set_fault(const nlohmann::json& fault);
  void clear_faults();
  /// None of the credentials that it has issued is taken any more.
  void revoke_credentials();
  /// All that was asked of the emulator, as `GET /_calls` has it.
  [[nodiscard]] nlohmann::json calls();
  /// The start-next calls, in the order in which they came.
  [[nodiscard]] std::vector<nlohmann::json> start_next_calls();
  /// Waits until there are that many of them.
  bool wait_for_calls(std::size_t count);
  /// Waits until that many have been answered.
  bool wait_for_answers(std::size_t count);

  /// Ends it, so that its port refuses connections.
  void stop();
  /// Brings it back, empty, on the same port.
  void start();

 private:
  std::string exchange(const std::string& method, const std::string& path, const std::string& body);

  const Options options_;
  unsigned short port_ = 0;
  std::optional<Process> process_;
};

}  // namespace jobs_bridge::testing_support
