#pragma once

#include <optional>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge {

/// Reports the state of the service to systemd, or to another supervisor that has set NOTIFY_SOCKET
/// (sd_notify(3)); without one, it does nothing. Used by one thread.
class ServiceManager {
 public:
  /// Reads NOTIFY_SOCKET and WATCHDOG_USEC from the environment.
  ServiceManager();

  /// The longest time between two calls of alive(); nothing if there is no watchdog.
  [[nodiscard]] std::optional<Duration> watchdog() const { return watchdog_; }
  [[nodiscard]] bool listens() const { return listens_; }

  void ready();
  void reloading();
  void stopping();
  /// Tells the watchdog that the service works.
  void alive();
  /// One line for `systemctl status`; sent only if it changed.
  void say(const std::string& status);

 private:
  bool listens_ = false;
  std::optional<Duration> watchdog_;
  std::string last_status_;
};

}  // namespace jobs_bridge
