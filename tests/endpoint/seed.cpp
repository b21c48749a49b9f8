#include "tests/endpoint/seed.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include "tests/endpoint/names.h"

namespace jobs_endpoint {
namespace {

constexpr std::int64_t max_executions = 50'000'000;

bool parse_count(std::string_view text, std::int64_t& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() && count >= 0;
}

std::string job_id(const Fleet& fleet, std::int64_t number) {
  std::string prefix = fleet.prefix;
  std::replace(prefix.begin(), prefix.end(), ':', '-');
  return prefix + "-job-" + std::to_string(number);
}

}  // namespace

std::variant<Fleet, std::string> parse_fleet(const std::string& text) {
  const std::size_t second = text.rfind(':');
  const std::size_t first =
      second == std::string::npos || second == 0 ? std::string::npos : text.rfind(':', second - 1);
  if (first == std::string::npos) return "'" + text + "' is not of the form PREFIX:COUNT:JOBS";
  Fleet fleet = {text.substr(0, first)};
  if (!parse_count(std::string_view(text).substr(first + 1, second - first - 1), fleet.things) ||
      !parse_count(std::string_view(text).substr(second + 1), fleet.jobs)) {
    return "'" + text + "': COUNT and JOBS must be whole numbers of 0 and more";
  }
  if (fleet.things > max_executions ||
      (fleet.jobs > 0 && fleet.things > max_executions / fleet.jobs)) {
    return "'" + text + "': more than " + std::to_string(max_executions) + " executions";
  }
  if (!is_thing_name(fleet.prefix + "-" + std::to_string(fleet.things)) ||
      !is_job_id(job_id(fleet, fleet.jobs))) {
    return "'" + text +
           "': PREFIX does not make valid names: use letters, digits, '_', '-' and ':', and keep "
           "it short enough for a job id of 64 characters";
  }
  return fleet;
}

void queue_fleet(Store& store, const Fleet& fleet, Instant now) {
  if (fleet.things == 0) return;
  auto targets = std::make_shared<std::vector<std::string>>();
  for (std::int64_t number = 1; number <= fleet.things; ++number) {
    targets->push_back(thing_arn(fleet.prefix + "-" + std::to_string(number)));
  }
  for (std::int64_t number = 1; number <= fleet.jobs; ++number) {
    JobDefinition definition;
    definition.id = job_id(fleet, number);
    definition.targets = targets;
    definition.document = R"({"operation":"load","step":)" + std::to_string(number) + "}";
    store.create_job(std::move(definition), now);
  }
}

}  // namespace jobs_endpoint
