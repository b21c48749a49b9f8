#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/bridge/site.h"

namespace jobs_bridge::testing_support {

/// Updates of many things to the one job that each of them has, told apart by a number.
class Updates {
 public:
  Updates(Site& site, int things) : site_(site) {
    for (int i = 0; i < things; ++i) things_.push_back("lamp-" + std::to_string(i));
    site_.endpoint->create_job("job-1", things_);
    site_.device->subscribe("$aws/things/+/jobs/+/update/accepted");
  }

  [[nodiscard]] const std::vector<std::string>& things() const { return things_; }
  [[nodiscard]] std::size_t sent() const { return sent_; }

  /// Publishes one; the broker has it after the device's flush(). Returns its client token.
  std::string send(const std::string& thing) {
    const auto number = ++last_[thing];
    ++sent_;
    const auto token = thing + "/" + std::to_string(number);
    site_.device->publish("$aws/things/" + thing + "/jobs/job-1/update",
                          R"({"status":"IN_PROGRESS","statusDetails":{"number":")" +
                              std::to_string(number) + R"("},"clientToken":")" + token + "\"}");
    return token;
  }

  struct Arrived {
    std::size_t whole = 0;         ///< different ones that were carried out
    std::size_t repeated = 0;      ///< carried out once more
    std::size_t out_of_order = 0;  ///< whose first time was after a later one's
  };
  [[nodiscard]] Arrived arrived() {
    Arrived result;
    std::map<std::string, std::set<std::uint64_t>> seen;
    const auto calls = site_.endpoint->calls();
    for (const auto& call : calls.at("calls")) {
      if (call.at("operation") != "UpdateJobExecution" || call.at("status") != 200) continue;
      const auto body = nlohmann::json::parse(call.at("body").get<std::string>());
      const auto number = std::stoull(body.at("statusDetails").at("number").get<std::string>());
      auto& numbers = seen[call.at("thing")];
      if (!numbers.empty() && !numbers.contains(number) && number < *numbers.rbegin()) {
        ++result.out_of_order;
      }
      ++(numbers.insert(number).second ? result.whole : result.repeated);
    }
    return result;
  }

 private:
  Site& site_;
  std::vector<std::string> things_;
  std::map<std::string, std::uint64_t> last_;
  std::size_t sent_ = 0;
};

}  // namespace jobs_bridge::testing_support
