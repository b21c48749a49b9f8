#pragma once

#include <optional>
#include <string>

#include "bridge/time.h"

namespace jobs_bridge {

/// Tells systemd, or whoever else has set NOTIFY_SOCKET (sd_notify(3)), how the service does;
/// without one, nobody. One thread.
class ServiceManager {
 public:
  /// Whether somebody listens.
  ServiceManager();

  /// How often alive() must be called at least; nothing: no watchdog waits for it.
  [[nodiscard]] std::optional<Duration> watchdog() const { return watchdog_; }
  [[nodiscard]] bool listens() const { return listens_; }

  void ready();
  void reloading();
  void stopping();
  /// The service has just shown that it works.
  void alive();
  /// One line for `systemctl status`; sent if it is another than before.
  void say(const std::string& status);

 private:
  bool listens_ = false;
  std::optional<Duration> watchdog_;
  std::string said_;
};

}  // namespace jobs_bridge
