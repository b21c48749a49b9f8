#include "adapters/config/region.h"

#include "adapters/config/rules.h"

namespace jobs_bridge::config {

std::string place_region(const std::string& url, const std::string& region) {
  const std::string known = region.empty() || !is_region(region) ? "region" : region;
  std::string result = url;
  for (auto at = result.find(region_placeholder); at != std::string::npos;
       at = result.find(region_placeholder, at + known.size())) {
    result.replace(at, region_placeholder.size(), known);
  }
  return result;
}

}  // namespace jobs_bridge::config
