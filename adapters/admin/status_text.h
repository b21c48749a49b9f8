#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge::admin {

struct StatusText {
  std::string text;  ///< some lines for a person, printable whatever devices have sent
  bool ready = false;
};

/// What /api/status answered, in words. The error: it is no status.
Result<StatusText, std::string> status_text(const std::string& json);

}  // namespace jobs_bridge::admin
