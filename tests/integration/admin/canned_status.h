#pragma once

#include "adapters/admin/status.h"

namespace jobs_bridge::testing_support {

/// A bridge with a moderate load on which nothing is wrong, with all that a Status can hold.
admin::Status healthy_status();
/// The endpoint refuses connections: updates are held.
admin::Status endpoint_down_status();
/// No connection to the broker.
admin::Status broker_down_status();
/// The account's quota is used up by others.
admin::Status throttled_status();
/// The source of credentials has stopped giving any, and they end in four minutes.
admin::Status credentials_near_expiry_status();
/// Just started, with nothing configured but what is needed.
admin::Status idle_status();

}  // namespace jobs_bridge::testing_support
