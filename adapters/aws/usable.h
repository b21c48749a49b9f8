#pragma once

#include <string>

#include "adapters/aws/credential_source.h"

namespace jobs_bridge::aws {

/// The credentials, or the reason why they cannot be used: they contain characters that are invalid
/// in a header. `where` names their origin.
Result<Credentials, SourceFault> check_usable(Credentials credentials, const std::string& where);

}  // namespace jobs_bridge::aws
