#include "adapters/config/signing.h"

#include <string>

#include "adapters/config/region.h"
#include "adapters/config/value_types.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::config {
namespace {

void complete_region(Review& review) {
  auto& endpoint = review.configuration.endpoint;
  if (!endpoint.region.empty() || !review.have_no_fault({"endpoint.url", "endpoint.region"}))
    return;
  endpoint.region = region_in(endpoint.url.host);
  if (!endpoint.region.empty()) return;
  review.fault("endpoint.region", "is empty, but requests are signed for a region",
               "set it to the endpoint's region, such as \"eu-central-1\", or set "
               "credentials.source = \"none\" if the endpoint needs no signatures");
}

/// The provider is asked with the endpoint's certificate where it has none of its own.
void complete_iot(Review& review) {
  auto& credentials = review.configuration.credentials;
  const auto& endpoint = review.configuration.endpoint;
  const bool own_certificate = !review.text("credentials.iot_certificate_file").empty();
  const bool own_key = !review.text("credentials.iot_private_key_file").empty();
  if (own_certificate != own_key) {
    review.fault(
        own_certificate ? "credentials.iot_certificate_file" : "credentials.iot_private_key_file",
        own_certificate ? "is set without credentials.iot_private_key_file"
                        : "is set without credentials.iot_certificate_file",
        "set both or neither");
    return;
  }
  if (!own_certificate) {
    credentials.iot_certificate_file = endpoint.certificate_file;
    credentials.iot_private_key_file = endpoint.private_key_file;
  }
  if (credentials.iot_ca_file.empty()) credentials.iot_ca_file = endpoint.ca_file;
  if (credentials.iot_role_alias.empty() && review.have_no_fault({"credentials.iot_role_alias"})) {
    review.fault("credentials.iot_role_alias", "is empty, but credentials come from AWS IoT",
                 "set it to the name of a role alias");
  }
  if (credentials.iot_certificate_file.empty() &&
      review.have_no_fault({"credentials.iot_certificate_file", "endpoint.certificate_file"})) {
    review.fault(
        "credentials.iot_certificate_file",
        "is empty, but credentials come from AWS IoT, which issues them only to the holder of a "
        "certificate",
        "set it to the gateway's certificate, and credentials.iot_private_key_file to its key");
  }
}

void check_source(Review& review) {
  const auto& credentials = review.configuration.credentials;
  const bool iot = credentials.source == CredentialSource::iot;
  const bool maybe_iot = iot || (credentials.source == CredentialSource::standard &&
                                 credentials.iot_endpoint.has_value());
  if (maybe_iot) {
    complete_iot(review);
    if (!credentials.iot_endpoint && review.have_no_fault({"credentials.iot_endpoint"})) {
      review.fault(
          "credentials.iot_endpoint", "is empty, but credentials come from AWS IoT",
          "set it to what aws iot describe-endpoint --endpoint-type iot:CredentialProvider prints");
    }
    return;
  }
  for (const char* key : {"credentials.iot_endpoint", "credentials.iot_role_alias",
                          "credentials.iot_thing_name", "credentials.iot_certificate_file"}) {
    if (review.text(key).empty() || credentials.source == CredentialSource::standard) continue;
    review.warn(key, "has no effect: credentials.source is " + review.text("credentials.source"),
                "set credentials.source = \"iot\", or remove this key");
  }
}

}  // namespace

bool certificate_replaces_signatures(const Review& review) {
  const auto& source = review.text("credentials.source");
  const bool left_open =
      equal_ignoring_case(source, "default") && review.text("credentials.iot_endpoint").empty();
  return !review.text("endpoint.certificate_file").empty() &&
         (left_open || equal_ignoring_case(source, "none"));
}

void complete_signing(Review& review) {
  auto& configuration = review.configuration;
  auto& source = configuration.credentials.source;
  if (!review.have_no_fault({"credentials.source"})) return;
  if (certificate_replaces_signatures(review)) source = CredentialSource::none;
  check_source(review);
  if (source == CredentialSource::none) return;
  complete_region(review);
  const auto& endpoint = configuration.endpoint;
  if (endpoint.url.scheme == "http" && endpoint.allow_plaintext &&
      !is_loopback(endpoint.url.host)) {
    review.warn("endpoint.url",
                "sends session tokens in plain text, and signatures that can be replayed for some "
                "minutes",
                "use https://");
  }
}

}  // namespace jobs_bridge::config
