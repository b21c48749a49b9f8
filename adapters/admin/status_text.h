#pragma once

#include <string>

#include "bridge/result.h"

namespace jobs_bridge::admin {

struct StatusText {
  std::string text;  ///< some lines for the terminal, printable whatever devices have sent
  bool ready = false;
  std::string reason;  ///< the first one why it is not
  std::string hint;    ///< what to do about that
};

/// The answer of /api/status as readable text. The error tells that it is not a status.
Result<StatusText, std::string> status_text(const std::string& json);

}  // namespace jobs_bridge::admin
