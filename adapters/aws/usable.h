#pragma once

#include <string>

#include "adapters/aws/credential_source.h"

namespace jobs_bridge::aws {

/// The credentials, unless they hold what cannot stand in a header: then why not. `where` says
/// where they are from.
Result<Credentials, SourceFault> check_usable(Credentials credentials, const std::string& where);

}  // namespace jobs_bridge::aws
