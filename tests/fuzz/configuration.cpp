// Configurations. Input: lines that begin with `--set ` or `env ` are of those layers, up to the
// first other line; all from there on is the file.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/config/load.h"
#include "bridge/jobs/names.h"
#include "bridge/jobs/topic.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"
#include "tests/support/temporary_directory.h"

namespace {

using namespace jobs_bridge;
using namespace jobs_bridge::config;
using fuzz::promise;

/// The file, in a directory of its own that relative names start from.
struct Place {
  Place() { std::filesystem::current_path(directory.path()); }
  ~Place() { std::filesystem::current_path("/"); }
  testing_support::TemporaryDirectory directory;
};

void check_faults(const std::vector<Fault>& faults, std::size_t lines) {
  for (const auto& fault : faults) {
    promise(!fault.message.empty() && !fault.source.empty(), "a fault says what and where");
    promise(fault.line <= lines + 1, "a fault's line is in the file");
    promise(fault.source != "bridge.toml" || fault.line > 0 || !fault.key.empty() || lines == 0 ||
                !fault.message.empty(),
            "a fault in the file has a line or a key");
    const auto text = to_string(fault);
    promise(std::ranges::none_of(
                text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }),
            "a fault is one line for a terminal");
  }
}

void check_configuration(const Configuration& configuration) {
  promise(TopicGrammar::from_base(configuration.topics.base).has_value(), "the base is one");
  promise(configuration.endpoint.connections >= 1, "there is a connection");
  promise(configuration.limits.deadline.count() > 0, "there is time for a request");
  promise(configuration.limits.queue >= 1 && configuration.limits.queue_per_thing >= 1,
          "there is room for a request");
  promise(configuration.limits.max_payload > 0, "payloads have a limit");
  const auto& partition = configuration.broker.partition;
  promise(partition.first >= 1 && partition.first <= partition.last &&
              partition.last <= partition.count && partition.count <= 1000,
          "a partition is some of them");
  promise(!configuration.broker.urls.empty() && !configuration.endpoint.url.host.empty(),
          "broker and endpoint have a place");
  for (const auto& url : configuration.broker.urls) {
    promise(!url.host.empty(), "a broker has a host");
  }
  for (const auto& thing : configuration.notify.things) {
    promise(ThingName::parse(thing).has_value(), "watched things have names of things");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Place place;
  std::vector<std::string> sets;
  std::vector<std::string> environment;
  fuzz::Input input(data, size);
  constexpr std::string_view set = "--set ";
  constexpr std::string_view variable = "env ";
  auto line = input.line();
  for (; line.starts_with(set) || line.starts_with(variable); line = input.line()) {
    if (line.starts_with(set)) {
      sets.emplace_back(line.substr(set.size()));
    } else {
      environment.emplace_back(line.substr(variable.size()));
    }
  }
  const auto text = std::string(line) + "\n" + std::string(input.rest());
  // No file but this one: a name that leads elsewhere would make a run depend on the machine.
  if (text.find("/dev/") != text.npos || text.find("/proc/") != text.npos) return 0;
  std::ofstream("bridge.toml", std::ios::binary | std::ios::trunc) << text;

  const auto outcome = load("bridge.toml", sets, environment);
  promise(outcome.configuration.has_value() == outcome.faults.empty(),
          "there is a configuration or a fault");
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) +
                     static_cast<std::size_t>(std::ranges::count(text, '\r'));
  check_faults(outcome.faults, lines);
  check_faults(outcome.warnings, lines);
  if (outcome.configuration) check_configuration(*outcome.configuration);
  const auto again = load("bridge.toml", sets, environment);
  promise(changed_keys(outcome, again).empty() && again.faults == outcome.faults,
          "the same configuration is the same");
  return 0;
}
