#pragma once

#include <cstddef>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace jobs_bridge::testing_support {

/// Accounts for messages that carry the numbers 0, 1, 2, ... in the order in which they were sent.
class Ledger {
 public:
  void received(std::size_t number) {
    ++received_;
    // A repeat comes late by its nature; only a first arrival can be out of order.
    if (!numbers_.insert(number).second) return;
    if (number < *numbers_.rbegin()) ++out_of_order_;
  }
  [[nodiscard]] std::size_t distinct() const { return numbers_.size(); }
  [[nodiscard]] std::size_t repeated() const { return received_ - numbers_.size(); }
  [[nodiscard]] std::size_t out_of_order() const { return out_of_order_; }
  /// For a person to read.
  void print(std::ostream& out, const std::string& what, std::size_t sent) const {
    out << what << ": " << sent << " sent, " << received_ << " received, " << sent - distinct()
        << " lost, " << repeated() << " repeated, " << out_of_order_ << " out of order\n";
  }

 private:
  std::set<std::size_t> numbers_;
  std::size_t received_ = 0;
  std::size_t out_of_order_ = 0;
};

/// The topics of what a broker has received from the bridge, in order, by its log. What it has
/// acknowledged is its to deliver, and a killed one forgets: the bridge's part is seen here.
inline std::vector<std::string> received_from_bridge(const std::string& broker_log) {
  std::vector<std::string> topics;
  const std::string mark = "Received PUBLISH from bridge ";
  for (auto at = broker_log.find(mark); at != std::string::npos;
       at = broker_log.find(mark, at + 1)) {
    const auto begin = broker_log.find('\'', at) + 1;
    topics.push_back(broker_log.substr(begin, broker_log.find('\'', begin) - begin));
  }
  return topics;
}

}  // namespace jobs_bridge::testing_support
