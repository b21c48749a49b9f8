#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/admin/status_text.h"
#include "adapters/config/command_line.h"
#include "adapters/config/description.h"
#include "adapters/config/library_costs.h"
#include "adapters/config/load.h"
#include "adapters/config/quote.h"
#include "adapters/config/secret.h"
#include "adapters/daemon/connection_check.h"
#include "adapters/daemon/daemon.h"
#include "adapters/daemon/process.h"
#include "adapters/daemon/status_client.h"
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

/// The configuration file in effect; nothing if there is none.
template <typename Command>
std::optional<std::string> file_of(const Command& command) {
  std::error_code ignored;
  if (command.config || !std::filesystem::exists(config::usual_file, ignored)) {
    return command.config;
  }
  return config::usual_file;
}

template <typename Command>
std::string name_of_file(const Command& command) {
  return file_of(command).value_or("defaults and environment");
}

template <typename Command>
config::LoadOutcome load(const Command& command) {
  return config::load(file_of(command), command.sets, process_environment());
}

/// Text from a server within one of our messages must not move the cursor nor fill the screen.
std::string fit_for_terminal(const std::string& sentence) {
  constexpr std::size_t limit = 1000;  // bytes
  return config::printable(sentence, limit);
}

/// Tells what is wrong with the configuration, everything at once.
void print_findings(const config::LoadOutcome& outcome) {
  for (const auto& warning : outcome.warnings) {
    std::cerr << "warning: " << to_string(warning) << '\n';
  }
  for (const auto& fault : outcome.faults) std::cerr << to_string(fault) << '\n';
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
  if (command.connect) disable_core_dumps();
  const auto loaded = load(command);
  print_findings(loaded);
  if (!loaded.configuration) return wrong_usage;
  std::cout << name_of_file(command) << ": the configuration is valid\n";
  if (const auto costs = config::compare_libraries(*loaded.configuration); !costs.empty()) {
    std::cout << costs << '\n';
  }
  if (!command.connect) return done;
  bool good = true;
  for (const auto& finding : check_connections(*loaded.configuration)) {
    constexpr std::size_t width = 13;
    auto name = finding.name;
    name.resize(std::max(width, name.size() + 1), ' ');
    std::cout << name << (finding.good ? "ok     " : "FAULT  ") << fit_for_terminal(finding.text)
              << '\n';
    if (!finding.hint.empty())
      std::cout << std::string(width, ' ') << "hint:  " << finding.hint << '\n';
    good = good && finding.good;
  }
  return good ? done : failed;
}

int execute(const config::StatusCommand& command) {
  std::string token;
  if (!command.token_file.empty()) {
    auto secret = config::read_secret(command.token_file);
    if (!secret) {
      std::cerr << "jobs-bridge: " << secret.error() << '\n';
      return wrong_usage;
    }
    token = *std::move(secret);
  }
  const auto fetched = fetch_status(command.admin, token);
  if (!fetched) {
    std::cerr << "jobs-bridge: " << fit_for_terminal(fetched.error()) << '\n';
    return failed;
  }
  const auto status = admin::status_text(*fetched);
  if (!status) {
    std::cerr << "jobs-bridge: " << fit_for_terminal(status.error()) << '\n';
    return failed;
  }
  std::cout << status->text;
  return status->ready ? done : failed;
}

int execute(const config::RunCommand& command) {
  // Before any secret is read.
  disable_core_dumps();
  auto loaded = load(command);
  print_findings(loaded);
  if (!loaded.configuration) return wrong_usage;
  prepare_signals();
  const auto& configuration = *loaded.configuration;
  const auto format = configuration.log.format == config::LogFormat::json ? logging::Format::json
                                                                          : logging::Format::text;
  logging::StructuredLog lines(format, configuration.log.level, STDERR_FILENO);
  logging::RateLimitedLog log(lines);
  log.write(Severity::info, "starting",
            {{"version", JOBS_BRIDGE_VERSION},
             {"configuration", name_of_file(command)},
             {"what", config::describe(configuration)}});
  if (configuration.broker.protocol == config::MqttProtocol::v3_1_1) {
    log.write(Severity::info,
              "over MQTT 3.1.1 replies reach only subscribers: the broker's plugin cannot tell "
              "which client asked",
              {{"hint", "set broker.protocol = \"5\""}});
  }
  return run_daemon({.loaded = std::move(loaded),
                     .load_again = [&command] { return load(command); },
                     .set_log_level = [&lines](Severity level) { lines.set_level(level); }},
                    log);
}

}  // namespace

int main(int count, char** values) {
  fix_thread_stacks();
  try {
    const auto command = config::parse_command_line({values + 1, values + count});
    return std::visit([](const auto& known) { return execute(known); }, command);
  } catch (const std::exception& error) {
    std::cerr << "jobs-bridge: " << error.what() << '\n';
    return failed;
  }
}
