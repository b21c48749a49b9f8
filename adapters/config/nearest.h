#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace jobs_bridge::config {

/// The candidate that `text` is most likely a misspelling of; nothing if none is close. What is
/// returned points into the candidate.
std::optional<std::string_view> nearest(std::string_view text,
                                        const std::vector<std::string_view>& candidates);

}  // namespace jobs_bridge::config
