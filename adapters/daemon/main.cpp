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
#include "adapters/config/url.h"
#include "adapters/daemon/connection_check.h"
#include "adapters/daemon/daemon.h"
#include "adapters/daemon/process.h"
#include "adapters/daemon/start_check.h"
#include "adapters/daemon/status_client.h"
#include "adapters/log/rate_limited_log.h"
#include "adapters/log/structured_log.h"
#include "adapters/mqtt/broker_connection.h"

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
  if (command.config || !std::filesystem::exists(config::default_file, ignored)) {
    return command.config;
  }
  return config::default_file;
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

/// In single quotes, if a shell would read it in another way.
std::string for_shell(const std::string& word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// The command line that does this check again.
std::string again(const config::CheckCommand& command) {
  std::string line = "jobs-bridge check --connect";
  if (command.config) {
    std::error_code ignored;
    const auto path = std::filesystem::absolute(*command.config, ignored);
    line += " --config " + for_shell(ignored ? *command.config : path.string());
  }
  for (const auto& set : command.sets) line += " --set " + for_shell(set);
  return config::printable(line);
}

/// All of one width.
const char* word_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::ok:
      return "ok     ";
    case Finding::Level::warning:
      return "WARN   ";
    case Finding::Level::fault:
      return "FAULT  ";
  }
  return "";
}

int execute(const config::CheckCommand& command) {
  if (command.connect) disable_core_dumps();
  const auto loaded = load(command);
  print_findings(loaded);
  if (!loaded.configuration) return wrong_usage;
  if (!command.connect) {
    const auto faults = check_start(loaded);
    for (const auto& fault : faults) std::cerr << to_string(fault) << '\n';
    if (!faults.empty()) return wrong_usage;
  }
  std::cout << name_of_file(command) << ": the configuration is valid\n";
  if (const auto costs = config::compare_libraries(*loaded.configuration); !costs.empty()) {
    std::cout << costs << '\n';
  }
  if (!command.connect) return done;
  mqtt::remove_proxies_from_environment();
  std::size_t faults = 0;
  std::size_t warnings = 0;
  for (const auto& finding : check_connections(*loaded.configuration, again(command))) {
    constexpr std::size_t width = 13;
    auto name = finding.name;
    name.resize(std::max(width, name.size() + 1), ' ');
    std::cout << name << word_of(finding.level) << fit_for_terminal(finding.text) << '\n';
    if (!finding.hint.empty())
      std::cout << std::string(width, ' ') << "hint:  " << finding.hint << '\n';
    if (finding.level == Finding::Level::fault) ++faults;
    if (finding.level == Finding::Level::warning) ++warnings;
  }
  const auto count = [](std::size_t number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
  };
  std::cout << count(faults, "fault") << ", " << count(warnings, "warning") << '\n';
  return faults == 0 ? done : failed;
}

struct AdminAddress {
  std::string url;
  std::string token_file;  ///< empty: none
};

/// Of the configuration only these two keys matter, so that whoever may not read the bridge's other
/// files can ask too.
Result<AdminAddress, std::string> find_admin(const config::StatusCommand& command) {
  if (command.admin) {
    const auto url = config::parse_url(*command.admin, {"http"});
    if (!url) {
      return Failure{"--admin: " + config::quote(*command.admin) + " " + url.error() +
                     "; expected http://host:port"};
    }
    return AdminAddress{.url = *command.admin, .token_file = command.token_file.value_or("")};
  }
  const auto loaded = load(command);
  for (const auto& fault : loaded.faults) {
    // A usual file that cannot be read says nothing: the default address may do.
    const bool asked = command.config || !command.sets.empty();
    if (fault.key == "admin.listen" || (asked && fault.key.empty())) {
      return Failure{config::to_string(fault)};
    }
  }
  const auto value = [&](const char* key) { return loaded.values.at(key).front(); };
  const auto listen = value("admin.listen");
  if (listen.empty()) {
    return Failure{"admin.listen is empty in " + name_of_file(command) +
                   ": this bridge has no address to ask; set it, or use --admin URL"};
  }
  return AdminAddress{.url = "http://" + listen,
                      .token_file = command.token_file.value_or(value("admin.token_file"))};
}

int execute(const config::StatusCommand& command) {
  auto where = find_admin(command);
  if (!where) {
    std::cerr << "jobs-bridge: " << fit_for_terminal(where.error()) << '\n';
    return wrong_usage;
  }
  const auto& [address, token_file] = *where;
  std::string token;
  if (!token_file.empty()) {
    auto secret = config::read_secret(token_file);
    if (!secret) {
      std::cerr << "jobs-bridge: " << secret.error() << '\n';
      return wrong_usage;
    }
    token = *std::move(secret);
  }
  const auto fetched = fetch_status(address, token);
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
  if (!loaded.configuration) {
    print_findings(loaded);
    return wrong_usage;
  }
  mqtt::remove_proxies_from_environment();
  prepare_signals();
  const auto& configuration = *loaded.configuration;
  const auto format = configuration.log.format == config::LogFormat::json ? logging::Format::json
                                                                          : logging::Format::text;
  logging::StructuredLog lines(format, configuration.log.level, STDERR_FILENO);
  logging::RateLimitedLog log(lines);
  const auto description = config::describe(configuration);
  log.write(Severity::info, "starting",
            {{"version", JOBS_BRIDGE_VERSION},
             {"configuration", name_of_file(command)},
             {"broker", description.broker},
             {"endpoint", description.endpoint},
             {"journal", description.journal},
             {"notifications", description.notifications}});
  for (const auto& warning : loaded.warnings) {
    log.write(Severity::warning, "the configuration is valid, but probably not what was intended",
              {{"warning", config::to_string(warning)}});
  }
  if (configuration.broker.protocol == config::MqttProtocol::v3_1_1) {
    log.write(Severity::info,
              "over MQTT 3.1.1 replies reach only subscribers: the broker's plugin cannot tell "
              "which client asked",
              {{"hint", "set broker.protocol = \"5\""}});
  }
  return run_daemon({.loaded = std::move(loaded),
                     .load_again = [&command] { return load(command); },
                     .set_log_level = [&lines](Severity level) { lines.set_level(level); },
                     .report_suppressed = [&log] { log.report_suppressed(); }},
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
