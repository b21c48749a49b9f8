#pragma once

#include <string>
#include <string_view>

namespace jobs_bridge::config {

/// What stands for the region in endpoint.url.
constexpr std::string_view region_placeholder = "{region}";

/// `url` with `region` in the placeholder's place; with the word "region" if `region` is empty or
/// no region, so that the rest of the URL can be checked none the less.
std::string place_region(const std::string& url, const std::string& region);

}  // namespace jobs_bridge::config
