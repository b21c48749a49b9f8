#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/config/key.h"
#include "adapters/config/review.h"

/// `{hostname}` and `{ordinal}` in values, so that several instances can share one file.
namespace jobs_bridge::config {

/// The host name of this machine, or of this container.
std::string this_host();

/// The number after the last '-' in the first label of a host name, as in the pods of a Kubernetes
/// StatefulSet: 3 for `jobs-bridge-3`. Nothing if there is none.
std::optional<std::uint32_t> ordinal_of(const std::string& host);

/// What is wrong with a value that needs an ordinal on this host.
Problem no_ordinal(const std::string& host);

/// Replaces `{hostname}` and `{ordinal}` in the settings of those of `sections` that allow
/// them. In broker.partition, whose parts are numbered from 1, ordinal 0 is part 1. A host without
/// an ordinal is a fault, and so are other words in braces.
void fill_in_host(Review& review, const std::vector<Section>& sections, const std::string& host);

}  // namespace jobs_bridge::config
