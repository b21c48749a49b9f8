#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace jobs_bridge::testing_support {

/// A real mosquitto on a loopback port of its own, which it keeps over restarts. Started by the
/// constructor, killed by the destructor. Everything throws std::runtime_error, with mosquitto's
/// own words, when it does not start or stop.
class MosquittoBroker {
 public:
  struct Options {
    /// Empty: plain TCP.
    CertificateFiles tls = {};
    /// Non-empty: a client must present a certificate of this authority.
    std::string client_ca_file = {};
    /// Whether sessions and queued messages outlive a restart.
    bool persistence = false;
    /// Names and passwords; empty: any client may connect.
    std::vector<std::pair<std::string, std::string>> users = {};
    /// The content of an ACL file; empty: everything is allowed.
    std::string acl = {};
    /// Loads our plugin for all listeners: replies reach the client that asked. A test that runs
    /// where the plugin is not built fails.
    bool with_plugin = false;
    /// Lines for the plugin without their `plugin_opt_`, such as "also_subscribers true".
    std::vector<std::string> plugin_options = {};
    /// Whether the users, the ACL and the plugin are this listener's own (per_listener_settings).
    bool per_listener = false;
    /// More lines of mosquitto.conf, after the listener's.
    std::string configuration = {};
    /// mosquitto's set_tcp_nodelay, which is off by default; it is the broker's half of the cure
    /// for the 40 ms that Nagle's algorithm and delayed acknowledgements cost.
    bool no_delay = true;
  };

  MosquittoBroker() : MosquittoBroker(Options{}) {}
  explicit MosquittoBroker(Options options);
  ~MosquittoBroker();
  MosquittoBroker(const MosquittoBroker&) = delete;
  MosquittoBroker& operator=(const MosquittoBroker&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// mqtt:// or mqtts://localhost, with the port.
  [[nodiscard]] std::string url() const;

  /// Returns once it accepts connections.
  void start();
  /// With SIGTERM it disconnects its clients and saves its persistent data.
  void stop(int signal = SIGTERM);
  /// Replaces the ACL and makes the broker read it.
  void set_acl(const std::string& content);
  /// SIGSTOP and SIGCONT: meanwhile it neither answers nor closes anything.
  void freeze() { process_->signal(SIGSTOP); }
  void thaw() { process_->signal(SIGCONT); }

  /// What the present process has logged so far: everything.
  [[nodiscard]] std::string log() const { return process_ ? process_->output() : ""; }
  [[nodiscard]] Process& process() { return *process_; }

 private:
  void make_password_file() const;
  void write_configuration() const;
  [[nodiscard]] std::string access_lines() const;
  [[nodiscard]] bool try_start();

  const Options options_;
  TemporaryDirectory directory_;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

}  // namespace jobs_bridge::testing_support
