#include "adapters/daemon/service_manager.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace jobs_bridge {
namespace {

void tell(const std::string& news) {
  // If the service manager is gone, the bridge goes on.
  sd_notify(0, news.c_str());
}

}  // namespace

ServiceManager::ServiceManager() : listens_(std::getenv("NOTIFY_SOCKET") != nullptr) {
  std::uint64_t microseconds = 0;
  if (listens_ && sd_watchdog_enabled(0, &microseconds) > 0) {
    watchdog_ = std::chrono::microseconds(microseconds);
  }
}

void ServiceManager::ready() {
  if (listens_) tell("READY=1");
}

void ServiceManager::reloading() {
  if (!listens_) return;
  // With the time, as Type=notify-reload wants it.
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceManager::stopping() {
  if (listens_) tell("STOPPING=1");
}

void ServiceManager::alive() {
  if (listens_ && watchdog_) tell("WATCHDOG=1");
}

void ServiceManager::say(const std::string& status) {
  if (!listens_ || status == last_status_) return;
  last_status_ = status;
  auto line = status;
  std::ranges::replace(line, '\n', ' ');
  tell("STATUS=" + line);
}

}  // namespace jobs_bridge
