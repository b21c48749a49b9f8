#include "adapters/config/command_line.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "adapters/config/load.h"
#include "adapters/config/reference.h"

namespace jobs_bridge::config {
namespace {

std::string version() {
  std::string libraries;
  if (JOBS_BRIDGE_HAS_PAHO) libraries = "paho";
  if (JOBS_BRIDGE_HAS_MOSQUITTO) libraries += libraries.empty() ? "mosquitto" : ", mosquitto";
  return "jobs-bridge " JOBS_BRIDGE_VERSION " (MQTT: " + libraries + ")";
}

std::string every_key() {
  std::ostringstream text;
  text << "Every key of the configuration:\n\n";
  print_reference(text);
  return text.str();
}

void add_options(CLI::App& command, std::optional<std::string>& config,
                 std::vector<std::string>& sets) {
  command.set_version_flag("--version", version());
  command
      .add_option("--config", config,
                  std::string("The configuration, a TOML file. Default: ") + default_file +
                      " if it exists, otherwise the defaults and the environment")
      ->type_name("FILE");
  command.add_option("--set", sets, "Sets one key of the configuration; may be repeated")
      ->type_name("section.key=value")
      ->take_all()
      ->allow_extra_args(false);
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CLI::App app("Carries AWS IoT Jobs between MQTT devices and an HTTPS endpoint.", "jobs-bridge");
  app.set_version_flag("--version", version());
  app.require_subcommand(0, 1);  // so that an unknown command is named instead of missed
  app.footer(
      "Exit status: 0 success, 1 failure at run time, 2 wrong usage or faulty configuration.");

  RunCommand run;
  CheckCommand check;
  StatusCommand status;
  auto* const run_command = app.add_subcommand("run", "Runs the bridge, until SIGTERM or SIGINT");
  auto* const check_command = app.add_subcommand(
      "check", "Checks a configuration and prints everything that is wrong with it");
  add_options(*run_command, run.config, run.sets);
  add_options(*check_command, check.config, check.sets);
  check_command->add_flag("--connect", check.connect,
                          "Also tries the broker, the credentials, the endpoint, the journal and "
                          "the admin address, and prints a line for each");
  check_command->footer(every_key);
  auto* const status_command = app.add_subcommand(
      "status", "Prints the status of a running bridge; the exit status is 1 if it is not ready");
  add_options(*status_command, status.config, status.sets);
  status_command
      ->add_option("--admin", status.admin,
                   "The address of its admin listener; default: admin.listen of the configuration")
      ->type_name("URL");
  status_command
      ->add_option("--token-file", status.token_file,
                   "The file with its token; default: admin.token_file of the configuration")
      ->type_name("FILE");

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream fault;
    if (app.exit(error, out, fault) == 0) return PrintText{out.str()};
    return WrongUsage{fault.str()};
  }
  if (run_command->parsed()) return run;
  if (check_command->parsed()) return check;
  if (status_command->parsed()) return status;
  return WrongUsage{
      "A command is required: run, check or status\nRun with --help for more information.\n"};
}

}  // namespace jobs_bridge::config
