#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapters/config/key.h"
#include "adapters/config/review.h"

/// `{hostname}` and `{ordinal}` in values, so that several instances can be given one file.
namespace jobs_bridge::config {

/// This machine's, or this container's.
std::string this_host();

/// The number behind the last '-' in the first label of a host name, as the pods of a Kubernetes
/// StatefulSet have it: 3 of `jobs-bridge-3`. Nothing where there is none.
std::optional<std::uint32_t> ordinal_of(const std::string& host);

/// What is wrong with a value that needs an ordinal on this host.
Problem no_ordinal(const std::string& host);

/// Puts the host's name and ordinal into the places of `{hostname}` and `{ordinal}`, in the
/// settings of all keys that may have them. In broker.partition, whose parts count from 1, ordinal
/// 0 is the first. A host without ordinal and other words in braces are faults.
void place_host(Review& review, const std::string& host);

}  // namespace jobs_bridge::config
