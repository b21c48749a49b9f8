#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace jobs_bridge::config {

/// `jobs-bridge run [--config FILE] [--set section.key=value]...`
struct RunCommand {
  std::optional<std::string> config;
  std::vector<std::string> sets;
};

/// `jobs-bridge check [--config FILE] [--set section.key=value]... [--connect]`
struct CheckCommand {
  std::optional<std::string> config;
  std::vector<std::string> sets;
  bool connect = false;
};

/// `jobs-bridge status [--admin URL] [--token-file FILE] [--config FILE]`
struct StatusCommand {
  std::optional<std::string> admin;
  std::optional<std::string> token_file;
  /// Has the two above, where they are not given.
  std::optional<std::string> config;
  std::vector<std::string> sets;
};

/// `--help` or `--version`: print this on standard output and exit with 0.
struct PrintText {
  std::string text;
};

/// Print this on standard error and exit with 2.
struct WrongUsage {
  std::string message;
};

using CommandLine = std::variant<RunCommand, CheckCommand, StatusCommand, PrintText, WrongUsage>;

/// `arguments` are those of main() without the program's name. Texts end with a newline.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace jobs_bridge::config
