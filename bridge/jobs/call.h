#pragma once

#include "bridge/jobs/http.h"
#include "bridge/jobs/request.h"

namespace jobs_bridge {

/// The HTTPS request of the Jobs data plane that carries out what a device asked for: method,
/// target and body as the AWS IoT Jobs data model (API version 2017-09-29) has them. `clientToken`
/// does not exist there and is left out.
HttpRequest build_call(const Request& request);

}  // namespace jobs_bridge
