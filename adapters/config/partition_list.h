#pragma once

#include <string>

#include "adapters/config/key.h"
#include "adapters/config/review.h"
#include "bridge/flow/partition.h"
#include "bridge/result.h"

/// broker.partition: how a partition is written, and a list of them, one for each instance.
namespace jobs_bridge::config {

/// What parse_partition() takes, for messages.
inline constexpr const char* partition_form =
    "i/n, or a range of them, i-j/n, with 1 <= i <= j <= n <= 1000";

/// `2/3`, or `1-250/1000`.
Result<Partition, Problem> parse_partition(const std::string& text);

/// Checks a list of partitions against each other: all of one n, none in two of them (faults), none
/// in no partition (a warning); and leaves the one that is at the host's ordinal, from 0.
void choose_partition(Review& review, const std::string& host);

}  // namespace jobs_bridge::config
