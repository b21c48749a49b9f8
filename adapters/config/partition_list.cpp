#include "adapters/config/partition_list.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "adapters/config/host_placeholders.h"
#include "adapters/config/quote.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::config {
namespace {

constexpr std::string_view key = "broker.partition";
constexpr std::uint32_t most = 1000;

/// Who has each bucket: the index of an element, or none.
std::vector<std::size_t> owners_of(const std::vector<Partition>& partitions, std::size_t none) {
  std::vector<std::size_t> owners(partitions.front().count, none);
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    for (auto bucket = partitions[i].first; bucket <= partitions[i].last; ++bucket) {
      owners[bucket - 1] = std::min(owners[bucket - 1], i);
    }
  }
  return owners;
}

/// Whether every element is a partition of things of its own.
bool check_list(Review& review, const std::vector<Element>& elements) {
  std::vector<Partition> partitions;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto parsed = parse_partition(elements[i].value);
    if (!parsed) {
      review.fault_of_element(key, i, parsed.error().message, parsed.error().hint);
      continue;
    }
    if (!partitions.empty() && parsed->count != partitions.front().count) {
      review.fault_of_element(key, i,
                              quote(elements[i].value) +
                                  " has a different n from the first element, " +
                                  std::to_string(partitions.front().count),
                              "use the same n in all elements");
      return false;
    }
    partitions.push_back(*parsed);
  }
  if (partitions.size() < elements.size()) return false;
  const auto none = partitions.size();
  const auto owners = owners_of(partitions, none);
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const auto& own = partitions[i];
    for (auto bucket = own.first; bucket <= own.last; ++bucket) {
      const auto other = owners[bucket - 1];
      if (other == i) continue;
      review.fault_of_element(key, i,
                              quote(elements[i].value) + " overlaps element " +
                                  std::to_string(other + 1) + ", " + quote(elements[other].value),
                              "use ranges that do not overlap");
      return false;
    }
  }
  if (const auto gap = std::ranges::find(owners, none); gap != owners.end()) {
    review.warn(
        key,
        "leaves some things without an instance: " + std::to_string(gap - owners.begin() + 1) +
            "/" + std::to_string(owners.size()) + " is in none of its elements",
        "use ranges that cover all things");
  }
  return true;
}

}  // namespace

Result<Partition, Problem> parse_partition(const std::string& text) {
  const auto slash = std::min(text.find('/'), text.size());
  const auto range = text.substr(0, slash);
  const auto dash = range.find('-');
  const auto first = parse_number<std::uint32_t>(range.substr(0, dash));
  const auto last =
      dash == std::string::npos ? first : parse_number<std::uint32_t>(range.substr(dash + 1));
  const auto count = parse_number<std::uint32_t>(text.substr(std::min(slash + 1, text.size())));
  if (!first || !last || !count || *first < 1 || *first > *last || *last > *count ||
      *count > most) {
    return Failure{Problem{
        .message = quote(text) + " is not a partition",
        .hint = "expected " + std::string(partition_form) + ", such as \"2/3\" or \"1-250/1000\""}};
  }
  return Partition{.first = *first, .last = *last, .count = *count};
}

void choose_partition(Review& review, const std::string& host) {
  const auto& elements = review.settings().find(key)->second.elements;
  const auto count = elements.size();
  if (count < 2 || !check_list(review, elements)) return;
  const auto ordinal = ordinal_of(host);
  if (!ordinal) {
    auto problem = no_ordinal(host);
    review.fault(key, "is a list, which " + problem.message, std::move(problem.hint));
  } else if (*ordinal >= count) {
    review.fault(key,
                 "has " + std::to_string(count) + " elements, for the ordinals 0 to " +
                     std::to_string(count - 1) + ", but the host name " + quote(host) +
                     " has ordinal " + std::to_string(*ordinal),
                 "add an element for each instance");
  } else {
    review.keep_element(key, *ordinal);
  }
}

}  // namespace jobs_bridge::config
