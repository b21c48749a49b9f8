#pragma once

#include <string>

namespace jobs_bridge::admin {

/// The page for a person: dashboard.html, in which `{{nonce}}` stands for what its Content Security
/// Policy names. It holds no data; its script asks /api/status for them.
const std::string& dashboard_page();

}  // namespace jobs_bridge::admin
