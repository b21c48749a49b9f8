#pragma once

#include <optional>
#include <string>

#include "bridge/jobs/http.h"

namespace jobs_bridge::https {

/// Why this request must not go over the wire, or nothing if it may. Whoever built it has checked
/// its parts; this is the last line of defence, because cpp-httplib writes out what it is given: a
/// line break in a header would start a header, or a request, of the attacker's own.
std::optional<std::string> refusal_of(const HttpRequest& request);

}  // namespace jobs_bridge::https
