#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jobs_bridge::config {

/// Whether `host` is contacted without the proxy: it is one of `patterns` (endpoint.no_proxy) or in
/// a domain that is, or one of them is `*`. Case-insensitive; addresses are compared as text.
bool is_exempt(std::string_view host, const std::vector<std::string>& patterns);

}  // namespace jobs_bridge::config
