#pragma once

#include "adapters/config/review.h"

namespace jobs_bridge::config {

/// Whether a certificate proves to the endpoint who we are, so that nothing is signed.
bool certificate_replaces_signatures(const Review& review);

/// Settles what signs the requests, if anything does: takes "default" for none where a certificate
/// does its work, finds the region in the endpoint's name, and reports what is missing.
void settle_signing(Review& review);

}  // namespace jobs_bridge::config
