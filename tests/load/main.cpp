#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>

#include "tests/load/load.h"
#include "tests/load/options.h"
#include "tests/load/report.h"

namespace {

std::atomic<bool> stopping{false};

/// The first ends the run and has it counted; the second ends the program.
void stop(int signal) {
  stopping = true;
  std::signal(signal, SIG_DFL);
}

}  // namespace

int main(int count, char** arguments) {
  const auto line = jobs_load::parse_command_line(count, arguments);
  std::fputs(line.output.c_str(), stdout);
  std::fputs(line.complaint.c_str(), stderr);
  if (!line.options) return line.exit_status;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  try {
    const auto summary = jobs_load::Load(*line.options, stopping).run();
    std::fputs((line.options->json ? as_json(summary) : as_text(summary)).c_str(), stdout);
    return summary.lost > 0 ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jobs-load: %s\n", error.what());
    return 1;
  }
}
