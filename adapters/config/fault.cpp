#include "adapters/config/fault.h"

#include "adapters/config/quote.h"

namespace jobs_bridge::config {

std::string to_string(const Fault& fault) {
  std::string text = printable(fault.source);
  if (fault.line > 0) text += ':' + std::to_string(fault.line);
  if (fault.line > 0 && fault.column > 0) text += ':' + std::to_string(fault.column);
  text += ": ";
  if (!fault.key.empty()) text += printable(fault.key) + ": ";
  text += fault.message;
  if (!fault.hint.empty()) text += "; " + fault.hint;
  return text;
}

}  // namespace jobs_bridge::config
