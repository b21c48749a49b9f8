#include "bridge/flow/permissions.h"

#include <algorithm>
#include <utility>

#include "bridge/flow/partition.h"

namespace jobs_bridge {

std::optional<Permissions::Change> Permissions::ended(MonotonicTime now, Operation operation,
                                                      std::string_view thing,
                                                      const Outcome& outcome) {
  auto& evidence = operations_.at(index_of(operation));
  if (outcome.access_denied) {
    evidence.things.failed(name_hash(thing));
    if (evidence.denied || !evidence.things.endpoint_fails(now)) return std::nullopt;
    evidence.denied = true;
    return Change{.operation = operation, .denied = true};
  }
  // Throttling may come before the permission is looked at.
  if (outcome.health != Health::healthy || outcome.throttled != Throttled::none) {
    return std::nullopt;
  }
  evidence.things.succeeded(now, name_hash(thing));
  evidence.allowed_at = now;
  if (!std::exchange(evidence.denied, false)) return std::nullopt;
  return Change{.operation = operation, .denied = false};
}

bool Permissions::denies_all(MonotonicTime now) const {
  return std::ranges::any_of(operations_, &Evidence::denied) &&
         std::ranges::none_of(operations_, [&](const Evidence& one) {
           return !one.denied && one.allowed_at && *one.allowed_at > now - ThingHealth::counts_for;
         });
}

}  // namespace jobs_bridge
