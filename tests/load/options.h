#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace jobs_load {

/// How to reach the broker.
struct Broker {
  std::string host = "127.0.0.1";
  std::uint16_t port = 1883;
  bool tls = false;
  bool version_5 = true;
  std::string ca_file = {};  ///< PEM; empty: the system's authorities
  std::string certificate_file = {};
  std::string private_key_file = {};
  std::string username = {};
  std::string password = {};
};

/// What the devices ask for.
enum class Operation { start_next, get, describe_next, describe, update };

/// As the command line has it.
[[nodiscard]] const char* to_string(Operation operation);

/// What the command line says.
struct Options {
  Broker broker = {};
  /// What topics begin with, before and after a thing's name.
  std::pair<std::string, std::string> topic{"$aws/things/", "/jobs"};
  std::string prefix = "device-";
  std::size_t things = 1000;  ///< PREFIX1 to PREFIXn
  std::size_t connections = 4;
  int qos = 1;
  /// Each request is one of these, drawn by the seed; named twice, one comes twice as often.
  std::vector<Operation> operations{Operation::start_next};
  std::string job = {};  ///< what describe and update are about
  /// Open loop: so many requests a second are due, whatever the answers do. 0: closed loop.
  double rate = 0;
  std::size_t in_flight = 200;  ///< closed loop: so many requests are always under way
  std::chrono::duration<double> warm_up{2};
  std::chrono::duration<double> duration{10};
  /// Instead of a duration: so many requests after the warm-up; 0: by duration.
  std::size_t requests = 0;
  std::chrono::duration<double> patience{10};  ///< a reply that takes longer counts as lost
  std::uint64_t seed = 1;                      ///< of the order in which an open loop asks
  /// A connection that is lost is made again, with its session, instead of ending the run.
  bool reconnect = false;
  std::chrono::duration<double> progress{0};  ///< a line of JSON so often; 0: none
  bool json = false;
};

/// What the program is to do: run with these options, or print and exit.
struct CommandLine {
  std::optional<Options> options = std::nullopt;
  std::string output = {};     ///< for standard output: help, version
  std::string complaint = {};  ///< for standard error
  int exit_status = 0;         ///< where there are no options
};

[[nodiscard]] CommandLine parse_command_line(int count, const char* const* arguments);

}  // namespace jobs_load
