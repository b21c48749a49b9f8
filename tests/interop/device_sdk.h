#pragma once

#include <gtest/gtest.h>

#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace jobs_bridge::testing_support {

/// MQTT version and client of the AWS IoT device SDK v2 for JavaScript.
using SdkClient = std::tuple<std::string, std::string>;

inline auto all_sdk_clients() {
  return testing::Combine(testing::Values("5", "3.1.1"), testing::Values("v2", "classic"));
}

inline std::string name_of(const testing::TestParamInfo<SdkClient>& tested) {
  const auto& [protocol, client] = tested.param;
  return client + "Over" + (protocol == "5" ? "5" : "311");
}

/// One step of device.mjs: a call of the SDK.
inline nlohmann::json call(const char* operation,
                           nlohmann::json request = nlohmann::json::object()) {
  return {{"call", operation}, {"request", std::move(request)}};
}

/// A device that runs the SDK as a process of its own, see device.mjs.
class DeviceSdk {
 public:
  DeviceSdk(unsigned short port, const std::string& thing, const SdkClient& client,
            const nlohmann::json& steps)
      : steps_(steps),
        process_({"node", INTEROP_DIRECTORY "/device.mjs", std::to_string(port), thing,
                  std::get<0>(client), std::get<1>(client), steps.dump()}) {}

  /// Waits until it has come through that step, counted from 0.
  bool wait_for_step(std::size_t step) {
    return process_.wait_for_line("\"step\":" + std::to_string(step) + "[,}]").has_value();
  }

  /// Waits for its end, which has to be a good one; returns what it saw, in order.
  std::vector<nlohmann::json> finish() {
    EXPECT_EQ(process_.wait(std::chrono::seconds(60)), 0) << process_.output();
    std::vector<nlohmann::json> seen;
    std::istringstream lines(process_.output());
    for (std::string line; std::getline(lines, line);) {
      auto parsed = nlohmann::json::parse(line, nullptr, false);
      EXPECT_TRUE(parsed.is_object()) << line;
      if (parsed.is_object()) seen.push_back(std::move(parsed));
    }
    return seen;
  }
  [[nodiscard]] std::string output() const { return process_.output(); }

  /// What it saw and when, a line each, counted from when it was connected.
  [[nodiscard]] std::string timeline(const std::vector<nlohmann::json>& seen) const {
    std::ostringstream text;
    for (const auto& line : seen) {
      text << std::fixed << std::setprecision(1) << std::setw(9) << line.at("ms").get<double>()
           << " ms  ";
      if (line.contains("event")) {
        text << line.at("event").get<std::string>() << " " << line.at("content") << "\n";
        continue;
      }
      const auto& step = steps_.at(line.at("step").get<std::size_t>());
      text << (line.contains("accepted")   ? "accepted  "
               : line.contains("rejected") ? "rejected  "
                                           : "done      ")
           << step << "\n";
    }
    return text.str();
  }

 private:
  const nlohmann::json steps_;
  Process process_;
};

}  // namespace jobs_bridge::testing_support
