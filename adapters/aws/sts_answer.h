#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/aws/credential_source.h"
#include "bridge/jobs/http.h"

namespace jobs_bridge::aws {

/// The text of the first element of that name, which must hold nothing but text; nothing if there
/// is no such element or it contains other elements. One pass over the document, whatever it
/// contains.
std::optional<std::string> element_text(std::string_view xml, std::string_view name);

/// The credentials in an answer of AWS STS (API version 2011-06-15), which is XML. See
/// read_document().
Result<Credentials, SourceFault> read_sts_answer(const HttpResponse& response,
                                                 const std::string& where, MonotonicTime now,
                                                 std::int64_t unix_now,
                                                 std::string_view secret = {});

}  // namespace jobs_bridge::aws
