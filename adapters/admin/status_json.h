#pragma once

#include <string>

#include "adapters/admin/readiness.h"
#include "adapters/admin/status.h"

namespace jobs_bridge::admin {

/// What /api/status answers: one JSON object. Durations are in seconds, but for those that end in
/// `_ms`; unknown values are null. Bytes that are not UTF-8 are replaced.
std::string status_json(const Status& status, const Verdict& verdict);

/// What /readyz answers: {"ready": ..., "reasons": [...], "warnings": [...]}.
std::string readiness_json(const Verdict& verdict);

/// The same as text: a line for each reason and warning.
std::string readiness_text(const Verdict& verdict);

}  // namespace jobs_bridge::admin
