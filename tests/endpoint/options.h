#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/endpoint/endpoint.h"
#include "tests/endpoint/seed.h"
#include "tests/endpoint/server.h"

namespace jobs_endpoint {

/// What the command line says.
struct Options {
  ServerOptions server = {};
  EndpointOptions endpoint = {};
  std::vector<Fleet> fleets = {};
  std::chrono::seconds clock_offset{0};
};

/// What the program is to do: run with these options, or print and exit.
struct CommandLine {
  std::optional<Options> options = std::nullopt;
  std::string output = {};     ///< for standard output: help, version
  std::string complaint = {};  ///< for standard error
  int exit_status = 0;         ///< where there are no options
};

[[nodiscard]] CommandLine parse_command_line(int count, const char* const* arguments);

}  // namespace jobs_endpoint
