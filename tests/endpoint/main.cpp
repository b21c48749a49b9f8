#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "tests/endpoint/clock.h"
#include "tests/endpoint/options.h"

namespace {

/// One descriptor a connection: as many as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void run(const jobs_endpoint::Options& options) {
  jobs_endpoint::Endpoint endpoint(options.endpoint);
  const jobs_endpoint::Clock clock(options.clock_offset);
  jobs_endpoint::Server server(options.server, endpoint, clock);
  server.stop_on_signals();
  for (const jobs_endpoint::Fleet& fleet : options.fleets) {
    jobs_endpoint::queue_fleet(endpoint.store(), fleet, clock.now());
  }
  std::printf("jobs-endpoint listening on %s\n", server.url().c_str());
  std::fflush(stdout);
  server.run();
}

}  // namespace

int main(int count, char** arguments) {
  const jobs_endpoint::CommandLine line = jobs_endpoint::parse_command_line(count, arguments);
  std::fputs(line.output.c_str(), stdout);
  std::fputs(line.complaint.c_str(), stderr);
  if (!line.options) return line.exit_status;
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  try {
    run(*line.options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jobs-endpoint: %s\n", error.what());
    return 1;
  }
  return 0;
}
