#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "adapters/aws/signer.h"

/// What a signature costs in CPU: of a start-next with temporary credentials, whose token is most
/// of what is hashed, and of one with a long-lived key.
namespace {

using namespace jobs_bridge;

double cpu_microseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

void measure(const char* what, const std::string& token, int days) {
  aws::Credentials credentials;
  credentials.access_key_id = "ASIAEXAMPLEEXAMPLE00";
  credentials.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  credentials.session_token = token;
  const HttpRequest request{.method = "PUT",
                            .target = "/things/gateway-device-0001/jobs/$next",
                            .body = R"({"statusDetails":{"step":"1"}})",
                            .headers = {{"Content-Type", "application/json"}}};
  aws::Signer signer("eu-central-1");
  constexpr int count = 200'000;
  std::size_t bytes = 0;
  const double before = cpu_microseconds();
  for (int i = 0; i < count; ++i) {
    const auto made = signer.sign(request, "data.jobs.iot.eu-central-1.amazonaws.com", credentials,
                                  1'800'000'000 + (i % days) * 86'400);
    bytes += made.headers.back().second.size();
  }
  std::printf("%-46s %6.2f us CPU a signature (%zu bytes)\n", what,
              (cpu_microseconds() - before) / count, bytes / count);
}

}  // namespace

int main() {
  measure("long-lived key", "", 1);
  measure("temporary credentials, token of 1 KiB", std::string(1024, 'x'), 1);
  measure("the same, the day's key derived every time", std::string(1024, 'x'), 2);
}
