#include "tests/support/bridge_process.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace jobs_bridge::testing_support {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

/// A number, a boolean or a list is written to TOML unchanged, everything else as a string.
std::string toml_value(const std::string& key, const std::string& value) {
  const bool number = value.find_first_not_of("0123456789") == std::string::npos && !value.empty();
  const bool bare = value == "true" || value == "false" || value.starts_with('[') ||
                    (number && key != "protocol");
  return bare ? value : quoted(value);
}

std::vector<std::string> command(const TemporaryDirectory& directory,
                                 const std::vector<std::string>& settings) {
  // Quotas are for the tests that are about them, and so are polls, which tests that count calls do
  // not expect. A port of its own for each bridge.
  std::map<std::string, std::map<std::string, std::string>> sections = {
      {"admin", {{"listen", "127.0.0.1:0"}}},
      {"credentials", {{"source", "none"}}},
      {"limits", {{"reads_per_second", "0"}, {"writes_per_second", "0"}}},
      {"log", {{"level", "debug"}}},
      {"notify", {{"enabled", "false"}}}};
  for (const auto& setting : settings) {
    const auto dot = setting.find('.');
    const auto equals = setting.find('=');
    if (dot == std::string::npos || equals == std::string::npos || dot > equals) {
      throw std::invalid_argument("not section.key=value: " + setting);
    }
    sections[setting.substr(0, dot)][setting.substr(dot + 1, equals - dot - 1)] =
        setting.substr(equals + 1);
  }
  const auto path = directory.file("jobs-bridge.toml");
  std::ofstream file(path);
  for (const auto& [section, keys] : sections) {
    file << "[" << section << "]\n";
    for (const auto& [key, value] : keys) file << key << " = " << toml_value(key, value) << "\n";
  }
  std::vector<std::string> result;
  if (const char* const wrapper = std::getenv("WRAP_BRIDGE")) {
    std::istringstream words(wrapper);
    for (std::string word; words >> word;) result.push_back(word);
  }
  result.insert(result.end(), {JOBS_BRIDGE_PROGRAM, "run", "--config", path});
  return result;
}

}  // namespace

BridgeProcess::BridgeProcess(const std::vector<std::string>& settings, Wait wait,
                             const Process::Environment& environment)
    : process_(command(directory_, settings), environment) {
  if (wait == Wait::until_ready && !wait_until_ready()) {
    throw std::runtime_error("the bridge does not get ready: " + log());
  }
  if (wait == Wait::until_subscribed && !wait_until_subscribed()) {
    throw std::runtime_error("the bridge does not subscribe: " + log());
  }
}

bool BridgeProcess::wait_until_subscribed() {
  return process_.wait_for_output("subscribed to the request topics");
}

bool BridgeProcess::wait_until_ready(std::size_t from, std::chrono::milliseconds limit) {
  return process_.wait_for_output("ready for requests", limit, from);
}

std::string BridgeProcess::admin_url() const {
  const auto line = process_.wait_for_line("admin listener url=").value_or("");
  const auto at = line.find("http://");
  if (at == std::string::npos) return {};
  return line.substr(at, line.find_first_of("/ \n", at + std::string("http://").size()) - at);
}

std::optional<int> BridgeProcess::stop() {
  process_.signal(SIGTERM);
  return process_.wait();
}

}  // namespace jobs_bridge::testing_support
