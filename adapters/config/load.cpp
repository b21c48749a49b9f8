#include "adapters/config/load.h"

#include <tuple>
#include <utility>

#include "adapters/config/host_placeholders.h"
#include "adapters/config/keys.h"
#include "adapters/config/overrides.h"
#include "adapters/config/partition_list.h"
#include "adapters/config/relations.h"
#include "adapters/config/review.h"
#include "adapters/config/signing.h"
#include "adapters/config/toml_file.h"
#include "adapters/config/unknown.h"
#include "adapters/config/value_checks.h"

namespace jobs_bridge::config {
namespace {

EffectiveSettings defaults(const std::string& path) {
  EffectiveSettings settings;
  for (const auto& section : sections()) {
    for (const auto& key : section.keys) {
      // An invalid default means that the file should have set the key.
      settings[key.path] =
          setting_in_one_piece(key, std::string(key.default_value),
                               {.layer = Layer::standard, .source = path, .line = 0});
    }
  }
  return settings;
}

/// What is missing comes last: it may only follow from something above it.
std::vector<Fault> in_order(std::vector<Review::Finding> findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const auto& a, const auto& b) {
    const auto place = [](const Review::Finding& finding) {
      return std::tuple(finding.layer == Layer::standard, finding.layer, finding.fault.line);
    };
    return place(a) < place(b);
  });
  std::vector<Fault> faults;
  for (auto& finding : findings) faults.push_back(std::move(finding.fault));
  return faults;
}

std::map<std::string, std::vector<std::string>> values_of(const EffectiveSettings& settings) {
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& [key, setting] : settings) {
    auto& texts = values[key];
    if (setting.elements.empty()) texts.push_back(setting.value);
    for (const auto& element : setting.elements) texts.push_back(element.value);
  }
  return values;
}

/// Variables that configure a proxy for other programs. They do not apply here; without a warning
/// the operator would only see timeouts.
std::vector<Review::Finding> proxies_passed_over(const std::vector<std::string>& environment) {
  std::vector<Review::Finding> warnings;
  for (const auto& variable : environment) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos || equals + 1 == variable.size()) continue;
    const auto name = variable.substr(0, equals);
    if (name != "HTTPS_PROXY" && name != "https_proxy" && name != "ALL_PROXY" &&
        name != "all_proxy") {
      continue;
    }
    warnings.push_back(
        {.layer = Layer::environment,
         .fault = {.source = "environment " + name,
                   .key = {},
                   .message = "is ignored: the bridge takes its proxy from the configuration",
                   .hint = "set endpoint.proxy (and endpoint.no_proxy in place of NO_PROXY), or "
                           "endpoint.proxy = \"\" to use none"}});
  }
  return warnings;
}

}  // namespace

LoadOutcome load(const std::optional<std::string>& path, const std::vector<std::string>& sets,
                 const std::vector<std::string>& environment, const std::string& host) {
  const std::pair<Layer, Reading> layers[] = {
      {Layer::file, path ? read_toml_file(*path) : Reading()},
      {Layer::environment, read_environment(environment)},
      {Layer::command_line, read_sets(sets)}};
  std::vector<Review::Finding> faults;
  std::vector<Review::Finding> warnings;
  EffectiveSettings settings = defaults(path.value_or("defaults"));
  for (const auto& [layer, reading] : layers) {
    for (const auto& fault : reading.faults) faults.push_back({.layer = layer, .fault = fault});
    for (const auto& warning : reading.warnings) {
      warnings.push_back({.layer = layer, .fault = warning});
    }
    for (const auto& setting : reading.settings) settings[setting.key->path] = setting;
  }

  Review review(std::move(settings));
  for (const auto& fault : faults) {
    review.mark_faulty(fault.fault.key);
    // Then these are not missing: a fault that follows from that would only mislead.
    for (const auto& key : meant_keys(fault.fault.key)) review.mark_faulty(key);
  }
  choose_partition(review, host);
  fill_in_host(review, sections(), host);
  read_values(review);
  if (!review.is_given("endpoint.proxy")) {
    for (auto& warning : proxies_passed_over(environment)) warnings.push_back(std::move(warning));
  }
  // Without the file, checks of values against each other make no sense.
  if (layers[0].second.complete) {
    check_files(review);
    check_relations(review);
    complete_signing(review);
  }

  LoadOutcome outcome;
  faults.insert(faults.end(), review.faults().begin(), review.faults().end());
  outcome.faults = in_order(std::move(faults));
  warnings.insert(warnings.end(), review.warnings().begin(), review.warnings().end());
  outcome.warnings = in_order(std::move(warnings));
  outcome.values = values_of(review.settings());
  for (const auto& [key, setting] : review.settings()) outcome.origins[key] = setting.origin;
  if (outcome.faults.empty()) outcome.configuration = std::move(review.configuration);
  return outcome;
}

Fault LoadOutcome::fault_of(const std::string& key, std::string message, std::string hint) const {
  const auto& origin = origins.at(key);
  return {.source = origin.source,
          .line = origin.line,
          .key = key,
          .message = std::move(message),
          .hint = std::move(hint)};
}

std::vector<std::string> changed_keys(const LoadOutcome& before, const LoadOutcome& after) {
  std::vector<std::string> changed;
  for (const auto& [key, values] : after.values) {
    const auto was = before.values.find(key);
    if (was == before.values.end() || was->second != values) changed.push_back(key);
  }
  return changed;
}

}  // namespace jobs_bridge::config
