#include "adapters/config/region.h"

#include "adapters/config/rules.h"

namespace jobs_bridge::config {

std::string fill_in_region(const std::string& url, const std::string& region) {
  const std::string known = region.empty() || !is_region(region) ? "region" : region;
  std::string result = url;
  for (auto at = result.find(region_placeholder); at != std::string::npos;
       at = result.find(region_placeholder, at + known.size())) {
    result.replace(at, region_placeholder.size(), known);
  }
  return result;
}

std::string aws_endpoint(std::string_view region, const EndpointVariant& variant) {
  const bool china = region.starts_with("cn-");
  std::string url = "https://data.jobs.iot";
  if (variant.fips) url += "-fips";
  url.append(".").append(region_placeholder);
  if (variant.dualstack) {
    url += china ? ".api.amazonwebservices.com.cn" : ".api.aws";
  } else {
    url += china ? ".amazonaws.com.cn" : ".amazonaws.com";
  }
  if (variant.mutual_tls) url += ":8443";
  return url;
}

std::string sts_host(std::string_view region) {
  const bool china = region.starts_with("cn-");
  return std::string("sts.").append(region).append(china ? ".amazonaws.com.cn" : ".amazonaws.com");
}

bool is_isolated(std::string_view region) {
  return region.starts_with("us-iso") || region.starts_with("eu-iso");
}

std::string region_in(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  constexpr std::string_view endings[] = {".amazonaws.com", ".amazonaws.com.cn", ".api.aws",
                                          ".api.amazonwebservices.com.cn"};
  for (const auto ending : endings) {
    if (!host.ends_with(ending)) continue;
    host.remove_suffix(ending.size());
    const auto dot = host.rfind('.');
    if (dot == std::string_view::npos) return {};
    const auto before = host.substr(0, dot);
    const auto region = host.substr(dot + 1);
    const bool of_iot = before.ends_with(".iot") || before.ends_with(".iot-fips");
    return of_iot && is_region(region) ? std::string(region) : std::string();
  }
  return {};
}

}  // namespace jobs_bridge::config
