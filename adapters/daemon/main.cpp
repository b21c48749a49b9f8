#include <unistd.h>

#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/config/command_line.h"
#include "adapters/config/description.h"
#include "adapters/config/load.h"
#include "adapters/daemon/daemon.h"
#include "adapters/daemon/secrecy.h"
#include "adapters/daemon/signals.h"
#include "adapters/log/rate_limited_log.h"
#include "adapters/log/structured_log.h"

namespace {

using namespace jobs_bridge;

enum ExitStatus { done = 0, failed = 1, wrong_usage = 2 };

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

/// Loads the configuration and tells what is wrong with it, everything at once.
template <typename Command>
std::optional<config::Configuration> load(const Command& command) {
  auto outcome = config::load(command.config, command.sets, process_environment());
  for (const auto& warning : outcome.warnings) {
    std::cerr << "warning: " << to_string(warning) << '\n';
  }
  for (const auto& fault : outcome.faults) std::cerr << to_string(fault) << '\n';
  return std::move(outcome.configuration);
}

int execute(const config::WrongUsage& wrong) {
  std::cerr << wrong.message;
  return wrong_usage;
}

int execute(const config::PrintText& print) {
  std::cout << print.text;
  return done;
}

int execute(const config::CheckCommand& command) {
  if (!load(command)) return wrong_usage;
  std::cout << command.config << ": the configuration is valid\n";
  return done;
}

int execute(const config::RunCommand& command) {
  // Before any secret is read.
  forbid_memory_dumps();
  const auto configuration = load(command);
  if (!configuration) return wrong_usage;
  prepare_signals();
  const auto format = configuration->log.format == config::LogFormat::json ? logging::Format::json
                                                                           : logging::Format::text;
  logging::StructuredLog lines(format, configuration->log.level);
  logging::RateLimitedLog log(lines);
  log.write(Severity::info, "starting",
            {{"version", JOBS_BRIDGE_VERSION},
             {"configuration", command.config},
             {"what", config::describe(*configuration)}});
  return run_daemon(*configuration, log);
}

}  // namespace

int main(int count, char** values) {
  try {
    const auto command = config::parse_command_line({values + 1, values + count});
    return std::visit([](const auto& known) { return execute(known); }, command);
  } catch (const std::exception& error) {
    std::cerr << "jobs-bridge: " << error.what() << '\n';
    return failed;
  }
}
