#pragma once

#include <string>
#include <string_view>

namespace jobs_bridge::config {

/// What stands for the region in endpoint.url.
constexpr std::string_view region_placeholder = "{region}";

/// `url` with `region` in the placeholder's place; with the word "region" if `region` is empty or
/// no region, so that the rest of the URL can be checked none the less.
std::string place_region(const std::string& url, const std::string& region);

/// Which of AWS's endpoints for Jobs is meant.
struct EndpointVariant {
  bool fips = false;
  bool dualstack = false;
  /// A certificate takes the place of signatures, which AWS offers on port 8443 only (AWS IoT
  /// developer guide, "Using HTTP TLS").
  bool mutual_tls = false;
};

/// The URL of AWS's endpoint for Jobs, still with the placeholder (botocore, endpoint rule set of
/// iot-jobs-data). The partition, China or elsewhere, follows from the region.
std::string aws_endpoint(std::string_view region, const EndpointVariant& variant);

/// The host of AWS STS for the region (botocore, endpoint rule set of sts).
std::string sts_host(std::string_view region);

/// Whether the region is of a partition whose names are not public knowledge.
bool is_isolated(std::string_view region);

/// The region in the name of an endpoint of AWS IoT (`...iot.eu-central-1.amazonaws.com`); empty:
/// it tells none.
std::string region_in(std::string_view host);

}  // namespace jobs_bridge::config
