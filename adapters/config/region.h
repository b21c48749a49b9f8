#pragma once

#include <string>
#include <string_view>

namespace jobs_bridge::config {

/// The placeholder for the region in endpoint.url.
constexpr std::string_view region_placeholder = "{region}";

/// `url` with the placeholder replaced by `region`, or by the word "region" if that is empty or
/// invalid, so that the rest of the URL can still be checked.
std::string fill_in_region(const std::string& url, const std::string& region);

/// Selects one of AWS's endpoints for Jobs.
struct EndpointVariant {
  bool fips = false;
  bool dualstack = false;
  /// A client certificate replaces signatures, which AWS offers on port 8443 only (AWS IoT
  /// developer guide, "Using HTTP TLS").
  bool mutual_tls = false;
};

/// The URL of AWS's endpoint for Jobs, still with the placeholder (botocore, endpoint rule set of
/// iot-jobs-data). The partition, China or elsewhere, follows from the region.
std::string aws_endpoint(std::string_view region, const EndpointVariant& variant);

/// The host of AWS STS for the region (botocore, endpoint rule set of sts).
std::string sts_host(std::string_view region);

/// Whether the region belongs to a partition whose endpoint names are not public.
bool is_isolated(std::string_view region);

/// The region in the name of an endpoint of AWS IoT (`...iot.eu-central-1.amazonaws.com`); empty if
/// the name contains none.
std::string region_in(std::string_view host);

}  // namespace jobs_bridge::config
