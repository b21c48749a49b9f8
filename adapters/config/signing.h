#pragma once

#include "adapters/config/review.h"

namespace jobs_bridge::config {

/// Whether a client certificate authenticates us to the endpoint, so that requests are not signed.
bool certificate_replaces_signatures(const Review& review);

/// Determines how requests are signed, if at all: treats "default" as none where a certificate
/// replaces signatures, finds the region in the endpoint's name, and reports what is missing.
void complete_signing(Review& review);

}  // namespace jobs_bridge::config
