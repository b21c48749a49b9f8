#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/load/options.h"
#include "tests/load/tally.h"

namespace jobs_load {

/// What a long run says while it goes on, as lines of JSON: figures every so often, and each
/// request whose reply is overdue, came late, or never came, with when it was asked, so that the
/// effect of actions on the site meanwhile can be measured. Times are seconds of the steady clock.
class Progress {
 public:
  using Print = std::function<void(const std::string& line)>;

  /// `patience`: a reply that takes longer is overdue.
  Progress(std::chrono::duration<double> every, std::chrono::duration<double> patience,
           Print print);

  void asked(Tally::Sequence sequence, const std::string& thing, Operation operation, Time now);
  /// `rejection`: its code; empty: accepted.
  void answered(Tally::Sequence sequence, const std::string& rejection, Time now);
  /// A request was due while its device had no connection, and was not sent.
  void skipped() { ++skipped_; }
  /// `connections`: how many are usable. To be called about once a second.
  void tick(Time now, std::size_t connections);
  /// Names what was never answered, and prints the figures for the last time.
  void finish(Time now);

 private:
  struct Request {
    std::string thing;
    Operation operation = Operation::start_next;
    Time asked;
    bool overdue = false;
  };

  void say(const char* event, Tally::Sequence sequence, const Request& request, Time now) const;
  void print_figures(Time now);

  const std::chrono::duration<double> every_;
  const std::chrono::duration<double> patience_;
  const Print print_;
  std::map<Tally::Sequence, Request> open_;  ///< the oldest first
  std::vector<double> latencies_;            ///< in milliseconds, since the last figures
  Time next_figures_;
  std::size_t connections_ = 0;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t overdue_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t skipped_ = 0;
  std::map<std::string, std::uint64_t> rejections_;
};

}  // namespace jobs_load
