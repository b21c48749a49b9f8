#pragma once

#include <string>

#include "adapters/admin/readiness.h"
#include "adapters/admin/status.h"

namespace jobs_bridge::admin {

/// What /api/status answers: one JSON object. Durations are in seconds, but for those that end in
/// `_ms`; what is unknown is null. Text that is not UTF-8 has its bad bytes replaced.
std::string status_json(const Status& status, const Verdict& verdict);

/// What /readyz answers: {"ready": ..., "reasons": [...], "warnings": [...]}.
std::string readiness_json(const Verdict& verdict);

/// The same for a person: a line for each reason and warning.
std::string readiness_text(const Verdict& verdict);

}  // namespace jobs_bridge::admin
