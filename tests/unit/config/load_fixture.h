#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "adapters/config/load.h"
#include "tests/unit/config/directory.h"

namespace jobs_bridge::config {

/// Loads configurations from text. Two keys have no default that is right everywhere; the least
/// that every file needs is in line 1 and 2.
class LoadFixture : public ::testing::Test {
 protected:
  static constexpr std::string_view least =
      "credentials.source = \"none\"\nendpoint.region = \"eu-central-1\"\n";

  LoadOutcome load_text(std::string_view text, const std::vector<std::string>& sets = {},
                        const std::vector<std::string>& environment = {}) {
    path_ = directory_.write("bridge.toml", text);
    return load(path_, sets, environment);
  }

  /// Behind the two lines of `least`.
  LoadOutcome load_more(std::string_view text, const std::vector<std::string>& sets = {},
                        const std::vector<std::string>& environment = {}) {
    return load_text(std::string(least).append(text), sets, environment);
  }

  /// What is printed for faults or warnings, with FILE for the file's path.
  std::vector<std::string> lines(const std::vector<Fault>& faults) const {
    std::vector<std::string> result;
    for (const auto& fault : faults) {
      std::string line = to_string(fault);
      if (const auto at = line.find(path_); at != std::string::npos && !path_.empty()) {
        line.replace(at, path_.size(), "FILE");
      }
      result.push_back(line);
    }
    return result;
  }

  /// What is printed for the faults of a file with this line behind `least`.
  std::vector<std::string> faults_of(std::string_view line) {
    const auto outcome = load_more(line);
    EXPECT_EQ(outcome.configuration.has_value(), outcome.faults.empty());
    return lines(outcome.faults);
  }

  std::vector<std::string> warnings_of(std::string_view line) {
    const auto outcome = load_more(line);
    EXPECT_THAT(lines(outcome.faults), ::testing::IsEmpty());
    return lines(outcome.warnings);
  }

  Directory directory_;
  std::string path_;
};

}  // namespace jobs_bridge::config
