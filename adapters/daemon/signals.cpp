#include "adapters/daemon/signals.h"

#include <cerrno>
#include <chrono>
#include <csignal>

namespace jobs_bridge {
namespace {

sigset_t awaited() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

void prepare_signals() {
  const auto signals = awaited();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::optional<int> wait_for_signal(Duration limit) {
  using namespace std::chrono;
  const auto signals = awaited();
  const auto whole = duration_cast<seconds>(limit);
  const timespec time{.tv_sec = whole.count(), .tv_nsec = nanoseconds(limit - whole).count()};
  while (true) {
    const int signal = sigtimedwait(&signals, nullptr, &time);
    if (signal > 0) return signal;
    if (errno == EAGAIN) return std::nullopt;
  }
}

}  // namespace jobs_bridge
