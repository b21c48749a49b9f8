#pragma once

#include <string>

#include "adapters/config/key.h"
#include "adapters/config/review.h"
#include "bridge/flow/partition.h"
#include "bridge/result.h"

/// broker.partition: how a partition is written, and a list of them, one for each instance.
namespace jobs_bridge::config {

/// The form that parse_partition() accepts, for messages.
inline constexpr const char* partition_form =
    "i/n, or a range i-j/n, with 1 <= i <= j <= n <= 1000";

/// `2/3`, or `1-250/1000`.
Result<Partition, Problem> parse_partition(const std::string& text);

/// Checks a list of partitions against each other: all must have the same n and no bucket may be in
/// two of them (faults), and every bucket should be in one (a warning). Keeps only the element at
/// the host's ordinal, which counts from 0.
void choose_partition(Review& review, const std::string& host);

}  // namespace jobs_bridge::config
