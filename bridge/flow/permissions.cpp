#include "bridge/flow/permissions.h"

#include <algorithm>
#include <utility>

#include "bridge/flow/partition.h"

namespace jobs_bridge {
namespace {

/// So many different things in a row are no accident.
constexpr std::size_t denied_in_a_row = 4;

}  // namespace

std::optional<Permissions::Change> Permissions::ended(MonotonicTime now, Operation operation,
                                                      std::string_view thing,
                                                      const Outcome& outcome) {
  auto& evidence = operations_.at(index_of(operation));
  if (outcome.access_denied) {
    const auto hash = name_hash(thing);
    evidence.things.failed(hash);
    auto& since = evidence.denied_since;
    if (since.size() < denied_in_a_row && std::ranges::find(since, hash) == since.end()) {
      since.push_back(hash);
    }
    const bool all = since.size() == denied_in_a_row || evidence.things.endpoint_fails(now);
    if (evidence.denied || !all) return std::nullopt;
    evidence.denied = true;
    return Change{.operation = operation, .denied = true};
  }
  // Throttling may come before the permission is looked at.
  if (outcome.health != Health::healthy || outcome.throttled != Throttled::none) {
    return std::nullopt;
  }
  evidence.things.succeeded(now, name_hash(thing));
  evidence.allowed_at = now;
  evidence.denied_since.clear();
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
